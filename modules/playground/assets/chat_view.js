// What a chat looks like. Decides nothing; `chat.js` does.

import { minutesAndSeconds, msUntil, timeOfDay } from './clock.js';
import { copy, make, rupiah, say } from './dom.js';

const STATUS = { pending_payment: 'to be paid', active: 'active', rerouting: 'looking for another mitra', ended: 'over' };
const ENDINGS = {
  customer_ended: 'The customer has ended the chat.',
  mitra_ended: 'The mitra has ended the chat. The time that was left is credited.',
  expired: 'The time is over.',
  payment_expired: 'It was not paid in time.',
  reroute_failed: 'No other mitra took it over. The time that was left is credited.',
  admin_ended: 'An admin has ended the chat.',
};
const CAME = { resume: 'missed, came by resume', history: 'from history' };
/** Nearer to the end than this, the list follows what is new. */
const NEAR_END_PX = 80;

export class ChatView {
  constructor(chat) {
    this.chat = chat;
    this.parts = copy('chat');
    this.root = this.parts.root;
    this.bubbles = new Map();
    this.follows = true;
    this.listen();
    this.followTheEnd();
  }

  listen() {
    const { chat, parts } = this;
    const attempt = (action) => chat.pane.act(action);
    parts.composer.addEventListener('submit', (event) => {
      event.preventDefault();
      const body = parts.draft.value.trim();
      parts.draft.value = '';
      if (body) attempt(() => chat.write(body));
    });
    parts.draft.addEventListener('input', () => chat.typing(parts.draft.value !== ''));
    parts.extend.addEventListener('click', () => attempt(() => chat.extend(parts.more.value)));
    parts.reroute.addEventListener('click', () => attempt(() => chat.reroute()));
    parts.end.addEventListener('click', () => attempt(() => chat.end()));
    parts.leave.addEventListener('click', () => {
      chat.forget(chat.current);
      chat.pane.home.focus();
    });
    for (let stars = 1; stars <= 5; stars += 1) {
      const star = make('button', 'star', '★');
      star.type = 'button';
      star.setAttribute('aria-label', stars === 1 ? '1 star' : `${stars} stars`);
      star.addEventListener('click', () => attempt(() => chat.rate(stars)));
      parts.stars.append(star);
    }
  }

  /** The list stays at its end while it grows or shrinks, unless somebody has scrolled up in it. */
  followTheEnd() {
    const list = this.parts.messages;
    list.addEventListener('scroll', () => {
      this.follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    });
    new ResizeObserver(() => this.toEnd()).observe(list);
  }

  toEnd() {
    const list = this.parts.messages;
    if (this.follows) list.scrollTop = list.scrollHeight;
  }

  offerPackages(items) {
    this.parts.more.replaceChildren(...items.map((it) => {
      const option = make('option', '', `${it.name} · ${rupiah(it.amount)}`);
      option.value = it.id;
      return option;
    }));
  }

  show() {
    const { session } = this.chat;
    if (!session) return;
    const isCustomer = this.chat.pane.role === 'customer';
    const other = isCustomer ? session.mitra : session.customer;
    say(this.parts.title, other.display_name || (isCustomer ? 'Your mitra' : 'A customer'));
    say(this.parts.topic, session.topic ?? session.package.name);
    say(this.parts.status, STATUS[session.status]);
    this.root.dataset.status = session.status;
    this.showTabs();
    this.showWhatCanBeDone(session, isCustomer);
    this.showDue(session, isCustomer);
    this.showMessages();
    this.tick();
  }

  showTabs() {
    const { sessions, current } = this.chat;
    const tabs = [...sessions.values()].map((session) => {
      const tab = make('button', 'tab small', session.customer.display_name || session.id.slice(-4));
      tab.type = 'button';
      tab.setAttribute('aria-pressed', String(session.id === current));
      tab.addEventListener('click', () => this.chat.choose(session.id));
      return tab;
    });
    this.parts.tabs.replaceChildren(...tabs);
    this.parts.tabs.hidden = tabs.length < 2;
  }

  showWhatCanBeDone(session, isCustomer) {
    const { composer, actions, extending, reroute, end, over, ended, stars } = this.parts;
    const isOver = session.status === 'ended';
    composer.hidden = session.status !== 'active';
    actions.hidden = isOver;
    extending.hidden = !isCustomer || !['active', 'rerouting'].includes(session.status);
    reroute.hidden = isCustomer || session.status !== 'active';
    end.hidden = !isCustomer && session.status === 'rerouting';
    over.hidden = !isOver;
    say(ended, ENDINGS[session.end_reason] ?? '');
    stars.hidden = !isCustomer || !session.started_at;
    if (isOver) this.showTyping(false);
    else this.rated(0);
  }

  /** The keyboard goes where the person who has just done something goes on. */
  focus() {
    const { composer, draft, leave } = this.parts;
    this.chat.pane.focus(composer.hidden ? leave : draft);
  }

  rated(stars) {
    this.parts.stars.querySelectorAll('.star').forEach((star, index) => {
      star.classList.toggle('lit', index < stars);
      star.disabled = stars > 0;
    });
  }

  showDue(session, isCustomer) {
    const payment = this.chat.due();
    const { pay, due, invoice } = this.parts;
    pay.hidden = !payment;
    if (!payment) return;
    const what = session.status === 'pending_payment' ? 'The chat begins' : 'The time is added';
    const amount = rupiah(payment.amount);
    const words = payment.invoice_url ? `${amount} to pay.` : `${amount} to pay: the invoice is being made …`;
    say(due, isCustomer ? `${words} ${what} when it is paid.` : `Waiting for the customer to pay ${amount}.`);
    invoice.hidden = !payment.invoice_url;
    if (payment.invoice_url) invoice.href = payment.invoice_url;
  }

  /** Only what is new is added: screen readers read what comes into the list. */
  showMessages() {
    const { thread, pane } = this.chat;
    const list = this.parts.messages;
    if (!thread) return;
    if (this.shown !== thread) {
      this.shown = thread;
      this.bubbles.clear();
      list.replaceChildren();
    }
    thread.messages().forEach((message, index) => {
      const bubble = this.bubbleOf(message, pane.user?.id);
      if (list.children[index] !== bubble) list.insertBefore(bubble, list.children[index] ?? null);
    });
    this.toEnd();
    pane.tick();
  }

  bubbleOf(message, ownId) {
    const mark = message.client_message_id;
    let bubble = this.bubbles.get(mark);
    if (!bubble) {
      bubble = make('div', message.sender_id === ownId ? 'bubble own' : 'bubble');
      bubble.append(make('p', '', message.body), make('small'));
      this.bubbles.set(mark, bubble);
    }
    bubble.dataset.came = message.came;
    bubble.classList.toggle('refused', Boolean(message.refused));
    say(bubble.lastElementChild, footnote(message, message.sender_id === ownId, this.chat.thread));
    return bubble;
  }

  showTyping(isTyping) {
    const { session } = this.chat;
    const other = this.chat.pane.role === 'customer' ? session?.mitra : session?.customer;
    say(this.parts.typing, isTyping && other ? `${other.display_name || 'The other side'} is typing …` : '');
  }

  tick() {
    const { session } = this.chat;
    if (!session) return;
    const isRunning = session.status === 'active' && session.expires_at;
    const leftMs = isRunning ? msUntil(session.expires_at) : session.remaining_seconds * 1000;
    say(this.parts.remaining, session.status === 'ended' ? '' : minutesAndSeconds(leftMs));
  }
}

function footnote(message, isOwn, thread) {
  if (message.refused) return `not sent: ${message.refused}`;
  if (message.seq === null) return 'sending …';
  const words = [`#${message.seq}`, timeOfDay(message.sent_at)];
  if (isOwn) words.push(message.seq <= thread.readByOther ? 'read' : 'sent');
  else if (CAME[message.came]) words.push(CAME[message.came]);
  return words.join(' · ');
}
