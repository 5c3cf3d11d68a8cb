// One person: their sign-in, their line, and what they see. Frames are handed out from here.

import { Api } from './api.js';
import { Chat } from './chat.js';
import { setServerTime } from './clock.js';
import { CustomerHome } from './customer.js';
import { copy, counted, say } from './dom.js';
import { keep, recall } from './memory.js';
import { MitraHome } from './mitra.js';
import { SignIn } from './sign_in.js';
import { Line } from './socket.js';

const LINE_WORDS = {
  off: 'No line',
  connecting: 'Connecting …',
  live: 'Live',
  cut: 'Line cut',
  waiting: 'Line lost, coming back …',
};

export class Pane {
  /**
   * @param person `{ key, role, name, phone }`; the key names the pane for ever
   * @param shared `{ log, guide, beacon, sandbox }`
   */
  constructor(person, shared) {
    Object.assign(this, person);
    this.shared = shared;
    this.user = null;
    this.missed = 0;
    this.isResuming = false;
    this.api = new Api(person.name, shared.log, (tokens) => this.onTokens(tokens));
    this.line = new Line(this.api, shared.log, {
      frame: (frame) => this.try(() => this.take(frame)),
      state: (state) => this.showLine(state),
      positions: () => this.startResume(),
    });
    this.parts = copy('pane');
    this.root = this.parts.root;
    this.signIn = new SignIn(this, person.phone, shared.sandbox);
    this.chat = new Chat(this);
    this.home = person.role === 'customer' ? new CustomerHome(this) : new MitraHome(this);
    this.build();
  }

  build() {
    const { root, body, sign_out: signOut, cut } = this.parts;
    root.dataset.role = this.role;
    root.dataset.pane = this.key;
    root.setAttribute('aria-label', this.name);
    body.append(this.signIn.root, this.home.root, this.chat.root);
    signOut.addEventListener('click', () => this.act(() => this.signOut()));
    cut.addEventListener('click', () => (this.line.state === 'cut' ? this.line.open() : this.line.cut()));
    this.show();
  }

  /** Signs in again with what this tab remembers. */
  async restore() {
    const refreshToken = this.remembered('refresh_token');
    if (refreshToken && (await this.api.refresh(refreshToken))) await this.enter(this.api.tokens);
  }

  async enter(tokens) {
    this.user = tokens.user;
    this.api.signIn(tokens);
    this.tell('');
    this.show();
    this.line.open();
    await this.reload();
    this.reached(this.role);
  }

  /** What changed while nobody listened is asked for. */
  async reload() {
    await this.chat.enter();
    await this.home.enter();
  }

  async signOut() {
    await this.api.post('/api/auth/logout');
    this.api.signIn(null);
  }

  onTokens(tokens) {
    this.remember('refresh_token', tokens?.refresh_token ?? null);
    if (tokens || !this.user) return;
    this.user = null;
    this.line.close();
    this.home.leave();
    this.chat.leave();
    this.tell('Signed out.');
    this.show();
  }

  /** Takes a frame of the server. */
  async take(frame) {
    switch (frame.type) {
      case 'hello':
        return this.greeted(frame);
      case 'resumed':
        return this.resumed();
      case 'offer.new':
        return this.home.add?.(frame.offer);
      case 'offer.gone':
        return this.home.gone?.(frame.request_id, frame.reason);
      case 'heartbeat':
        return this.home.heard?.(frame);
      case 'request.updated':
        return this.home.update?.(frame.request);
      case 'config.updated':
        return this.home.loadPackages?.();
      default:
        return this.chat.take(frame);
    }
  }

  async greeted({ server_time: now, connection_id: id }) {
    setServerTime(now);
    this.root.dataset.connection = id;
    if (this.wasAway) {
      this.tell('');
      await this.reload();
    }
    this.wasAway = true;
  }

  startResume() {
    const places = this.chat.positions();
    this.isResuming = places.length > 0;
    this.missed = 0;
    return places;
  }

  resumed() {
    this.isResuming = false;
    if (this.missed > 0) {
      this.reached('resume');
      this.tell(`The line is back: ${counted(this.missed, 'missed message')} arrived, in order.`);
    }
    this.chat.lineIsBack();
  }

  showLine(state) {
    const { root, line, cut, foot } = this.parts;
    root.dataset.line = state;
    say(line, LINE_WORDS[state]);
    say(cut, state === 'cut' ? 'Mend the line' : 'Cut the line');
    cut.disabled = state === 'connecting' || state === 'waiting';
    foot.hidden = state === 'off';
    if (state === 'off') this.wasAway = false;
    if (state === 'cut') this.tell('Nothing reaches this side now. What it writes goes by HTTP.');
    this.tick();
  }

  /** The view that fits: the sign-in, the home, the chat; a mitra keeps its switch and offers in sight. */
  show() {
    const isIn = this.user !== null;
    const { name, caption, avatar, sign_out: signOut } = this.parts;
    say(name, isIn ? this.user.display_name || this.name : this.name);
    say(caption, isIn ? `${this.name} · ${this.user.phone ?? ''}` : 'not signed in');
    say(avatar, (isIn && this.user.display_name ? this.user.display_name : this.name).slice(0, 1));
    signOut.hidden = !isIn;
    this.signIn.root.hidden = isIn;
    this.chat.root.hidden = !isIn || !this.chat.current;
    this.home.root.hidden = !isIn || (this.role === 'customer' && this.chat.current !== null);
    this.home.showEmpty?.();
  }

  /** Does what a person asks for; what they were told before is over. */
  act(action) {
    this.tell('');
    return this.try(action);
  }

  /** Does something; what the server refuses is told here. */
  async try(action) {
    try {
      await action();
    } catch (error) {
      const wait = error.retryAfter ? ` Again in ${error.retryAfter} s.` : '';
      this.tell(`${error.message}${wait}`, true);
      if (!('status' in error)) console.error(error);
    }
  }

  /** Moves the keyboard's focus on, unless it has gone to another side meanwhile. */
  focus(element) {
    const { activeElement } = document;
    if (activeElement === document.body || this.root.contains(activeElement)) element.focus({ preventScroll: true });
  }

  tell(text, isBad = false) {
    const { notice } = this.parts;
    notice.classList.toggle('bad', isBad);
    say(notice, text);
  }

  reached(step) {
    this.shared.guide.reached(step);
  }

  remember(what, value) {
    keep(`${this.key}.${what}`, value);
  }

  remembered(what) {
    return recall(`${this.key}.${what}`);
  }

  tick() {
    this.home.tick();
    this.chat.tick();
    say(this.parts.position, this.chat.positionWords());
  }
}
