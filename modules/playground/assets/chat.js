// The chats of one person: the session in front, its messages, and what can be done with it.

import { ChatView } from './chat_view.js';
import { newId } from './dom.js';
import { Thread } from './thread.js';

const PAGE = 100;
/** Between two signs that somebody types, and after the last. */
const TYPING_MS = 2000;
const TYPING_ENDS_MS = 3000;
/** How long the other side's sign holds. */
const TYPING_HOLDS_MS = 6000;
/** How often, and how many times, an invoice that is being made is asked for. */
const INVOICE_EVERY_MS = 1000;
const INVOICE_LOOKS = 30;
/** The ways of a payment before it is settled, in their order. */
const UNSETTLED = ['creating', 'pending'];

export class Chat {
  constructor(pane) {
    this.pane = pane;
    this.sessions = new Map();
    this.threads = new Map();
    this.payments = new Map();
    this.lookingFor = new Set();
    this.current = null;
    this.view = new ChatView(this);
    this.root = this.view.root;
  }

  offerPackages(items) {
    this.view.offerPackages(items);
  }

  /** The sessions that go on. */
  async enter() {
    const { items } = await this.pane.api.get('/api/chat/sessions?limit=20');
    const wasOpen = (id) => this.sessions.has(id);
    for (const session of items.filter((it) => it.status !== 'ended' || wasOpen(it.id))) {
      await this.update(session);
    }
  }

  leave() {
    this.sessions.clear();
    this.threads.clear();
    this.payments.clear();
    this.current = null;
    this.view.show();
  }

  /** From where each session goes on. */
  positions() {
    const open = [...this.sessions.values()].filter((it) => it.status !== 'ended');
    return open.map((it) => ({ session_id: it.id, after_seq: this.threads.get(it.id).position }));
  }

  positionWords() {
    const places = this.positions().map((it) => `${it.session_id.slice(-4)} at ${it.after_seq}`);
    return places.length > 0 ? `session ${places.join(', ')}` : 'no session';
  }

  get session() {
    return this.sessions.get(this.current) ?? null;
  }

  get thread() {
    return this.threads.get(this.current);
  }

  /** The session as the server tells it. */
  async update(session) {
    if (this.pane.role === 'mitra' && session.mitra.id !== this.pane.user.id) {
      this.forget(session.id);
      this.pane.tell('Another mitra has taken the session over.');
      return;
    }
    const isNew = !this.sessions.has(session.id);
    if (isNew && session.status === 'ended') return;
    // An answer may be older than an event that overtook it; nothing comes after the end.
    const known = this.sessions.get(session.id);
    if (known?.status === 'ended') return;
    const isOtherStatus = known?.status !== session.status;
    this.sessions.set(session.id, { ...session, payment: further(known?.payment, session.payment) });
    if (isNew) this.threads.set(session.id, new Thread(session.id));
    if (session.status === 'ended') this.pane.reached('end');
    // What is in front stays there, unless it is over.
    if (!this.session || (isNew && this.session.status === 'ended')) this.current = session.id;
    if (isOtherStatus) this.pane.try(() => this.pane.home.lookAgain?.());
    this.view.show();
    this.pane.show();
    if (isNew && session.last_seq > 0) await this.load(this.threads.get(session.id));
    this.lookForInvoice(session.payment);
  }

  choose(sessionId) {
    this.current = sessionId;
    this.view.show();
    this.markRead();
  }

  forget(sessionId) {
    this.sessions.delete(sessionId);
    this.threads.delete(sessionId);
    this.payments.delete(sessionId);
    if (this.current === sessionId) this.current = this.sessions.keys().next().value ?? null;
    this.view.show();
    this.pane.show();
  }

  /** What is kept and not known here. */
  async load(thread) {
    let lastSeq = Infinity;
    while (thread.position < lastSeq) {
      const query = `after_seq=${thread.position}&limit=${PAGE}`;
      const page = await this.pane.api.get(`/api/chat/sessions/${thread.sessionId}/messages?${query}`);
      for (const message of page.items) thread.take(message, 'history');
      lastSeq = page.items.length > 0 ? page.last_seq : 0;
    }
    this.view.showMessages();
    this.markRead();
  }

  take(frame) {
    switch (frame.type) {
      case 'message.new':
        return this.hear(frame.message);
      case 'ack':
        return this.kept(frame.message);
      case 'error':
        return this.refused(frame);
      case 'message.read':
        return this.readBy(frame);
      case 'typing':
        return this.typed(frame);
      case 'session.updated':
        return this.update(frame.session);
      case 'session.expiring':
        return this.pane.tell(`${Math.ceil(frame.remaining_seconds / 60)} min are left of this chat.`);
      case 'payment.updated':
        return this.paid(frame.payment);
      default:
        return undefined;
    }
  }

  async hear(message) {
    const thread = this.threads.get(message.session_id);
    if (!thread) return;
    const how = thread.take(message, this.pane.isResuming ? 'resume' : 'live');
    // The answer to `resume` fills a gap by itself.
    if (how === 'gap' && !this.pane.isResuming) await this.load(thread);
    if (how !== 'new') return;
    if (message.sender_id !== this.pane.user.id) {
      if (this.pane.isResuming) this.pane.missed += 1;
      this.otherTypes(false);
    }
    this.view.showMessages();
    this.markRead();
  }

  /** Writes a message: on the line, or by HTTP where there is none. */
  async write(body) {
    const mark = newId();
    this.thread.send(mark, body, this.pane.user.id);
    this.typing(false);
    this.view.showMessages();
    this.pane.reached('chat');
    await this.deliver(this.thread, mark, body);
  }

  /** The same mark again is the same message, so a doubtful one is simply sent again. */
  async deliver(thread, mark, body) {
    const draft = { client_message_id: mark, kind: 'text', body };
    const sessionId = thread.sessionId;
    if (this.pane.line.isLive) {
      this.pane.line.send({ type: 'message.send', id: mark, session_id: sessionId, ...draft });
      return;
    }
    try {
      this.kept(await this.pane.api.post(`/api/chat/sessions/${sessionId}/messages`, draft));
    } catch (error) {
      this.refused({ id: mark, detail: error.message });
    }
  }

  /** After the line came back: what was not acknowledged goes out again, and reading is told. */
  lineIsBack() {
    for (const thread of this.threads.values()) {
      const waiting = thread.messages().filter((it) => it.seq === null && !it.refused);
      for (const it of waiting) this.deliver(thread, it.client_message_id, it.body);
    }
    this.markRead();
  }

  kept(message) {
    this.threads.get(message.session_id)?.kept(message);
    this.view.showMessages();
  }

  refused({ id, detail }) {
    for (const thread of this.threads.values()) thread.refused(id, detail);
    this.pane.tell(detail, true);
    this.view.showMessages();
  }

  markRead() {
    const { thread, session } = this;
    if (!thread || session.status === 'ended' || thread.position <= (thread.markedRead ?? 0)) return;
    const frame = { type: 'message.read', session_id: thread.sessionId, seq: thread.position };
    if (this.pane.line.isLive && this.pane.line.send(frame)) thread.markedRead = thread.position;
  }

  readBy({ session_id: sessionId, reader_id: readerId, seq }) {
    const thread = this.threads.get(sessionId);
    if (!thread || readerId === this.pane.user.id) return;
    thread.readByOther = Math.max(thread.readByOther, seq);
    this.view.showMessages();
  }

  /** Tells the other side that somebody writes, now and then. */
  typing(isTyping) {
    clearTimeout(this.typingEnds);
    if (isTyping) this.typingEnds = setTimeout(() => this.typing(false), TYPING_ENDS_MS);
    const isDue = isTyping ? Date.now() - (this.typedAt ?? 0) > TYPING_MS : this.typedAt > 0;
    if (!isDue || !this.pane.line.isLive) return;
    this.typedAt = isTyping ? Date.now() : 0;
    this.pane.line.send({ type: 'typing', session_id: this.current, typing: isTyping });
  }

  typed({ session_id: sessionId, user_id: userId, typing }) {
    if (sessionId === this.current && userId !== this.pane.user.id) this.otherTypes(typing);
  }

  otherTypes(isTyping) {
    clearTimeout(this.otherStops);
    this.view.showTyping(isTyping);
    if (isTyping) this.otherStops = setTimeout(() => this.view.showTyping(false), TYPING_HOLDS_MS);
  }

  async extend(packageId) {
    const path = `/api/chat/sessions/${this.current}/extensions`;
    const extension = await this.pane.api.post(path, { package_id: packageId }, newId());
    if (extension.payment) this.keepPayment(this.current, extension.payment);
    else this.pane.tell(`${extension.minutes} minutes more.`);
    this.pane.reached('extend');
    await this.update(extension.session);
    this.lookForInvoice(extension.payment);
  }

  async reroute() {
    await this.update(await this.pane.api.post(`/api/chat/sessions/${this.current}/reroute`, {}));
    this.pane.tell('Offered anew, to every other mitra that is available. The clock stands meanwhile.');
  }

  async end() {
    await this.update(await this.pane.api.post(`/api/chat/sessions/${this.current}/end`));
    this.view.focus();
  }

  async rate(stars) {
    await this.pane.api.post(`/api/chat/sessions/${this.current}/rating`, { stars });
    this.pane.tell('Thank you. The mitra is not told.');
    this.view.rated(stars);
  }

  /** What is to be paid for the session in front, or for more of it. */
  due() {
    const { session } = this;
    const payment = session.status === 'pending_payment' ? session.payment : this.payments.get(session.id);
    return payment && UNSETTLED.includes(payment.status) ? payment : null;
  }

  paid(payment) {
    const session = this.sessions.get(payment.session_id);
    if (!session) return;
    if (payment.purpose === 'extension') this.keepPayment(session.id, payment);
    else session.payment = further(session.payment, payment);
    this.pane.tell(`The payment is ${payment.status.replace('_', ' ')}.`);
    this.view.show();
  }

  keepPayment(sessionId, payment) {
    this.payments.set(sessionId, further(this.payments.get(sessionId), payment));
  }

  /** Invoices are made in the background: where one is to be paid comes a moment later. */
  async lookForInvoice(payment) {
    if (this.pane.role !== 'customer' || payment?.status !== 'creating') return;
    if (this.lookingFor.has(payment.id)) return;
    this.lookingFor.add(payment.id);
    try {
      for (let look = 0; look < INVOICE_LOOKS && this.pane.user; look += 1) {
        const now = await this.pane.api.get(`/api/customer/payments/${payment.id}`);
        if (now.status !== 'creating') return this.paid(now);
        await new Promise((done) => setTimeout(done, INVOICE_EVERY_MS));
      }
    } finally {
      this.lookingFor.delete(payment.id);
    }
  }

  tick() {
    this.view.tick();
  }
}

/** Of two words on a payment the one that is further: answers and events overtake each other. */
function further(known, payment) {
  if (known?.id !== payment?.id || !known) return payment;
  const stepOf = ({ status }) => (UNSETTLED.includes(status) ? UNSETTLED.indexOf(status) : UNSETTLED.length);
  return stepOf(known) > stepOf(payment) ? known : { ...known, ...payment };
}
