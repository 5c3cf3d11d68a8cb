// One person's WebSocket: it signs in, says how far each session is known, and comes back when it breaks.
//
// A line that was cut stays cut until it is mended by hand; one that broke comes back by itself, later
// each time. `4401` means that the token has run out, `4403` that there is no way back.

import { newId } from './dom.js';

const SUBPROTOCOL = 'halobestie.v1';
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** Before a token runs out, a newer one is shown. */
const RENEW_BEFORE_MS = 60_000;
const NOT_SIGNED_IN = 4401;
const REVOKED = 4403;

export class Line {
  /**
   * @param api whose token it shows
   * @param log where frames are written down
   * @param on `{ frame(frame), state(state), positions() }`; states are `off`, `connecting`, `live`,
   *   `cut` and `waiting`
   */
  constructor(api, log, on) {
    this.api = api;
    this.log = log;
    this.on = on;
    this.socket = null;
    this.waitMs = FIRST_WAIT_MS;
    this.state = 'off';
  }

  get isLive() {
    return this.state === 'live';
  }

  open() {
    this.leave();
    this.become('connecting');
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/api/ws`, SUBPROTOCOL);
    this.socket = socket;
    this.ears = new AbortController();
    const { signal } = this.ears;
    const auth = () => this.send({ type: 'auth', access_token: this.api.tokens.access_token });
    socket.addEventListener('open', auth, { signal });
    socket.addEventListener('message', (event) => this.take(JSON.parse(event.data)), { signal });
    socket.addEventListener('close', (event) => this.broke(event), { signal });
  }

  /** Ends the connection as a lost network does: nothing that was under way is heard any more. */
  cut() {
    this.leave();
    this.log.note(this.api.who, 'the line is cut');
    this.become('cut');
  }

  /** Signs off. */
  close() {
    this.leave();
    this.become('off');
  }

  /** Sends a frame; false where there is no line. */
  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    this.log.frame(this.api.who, 'out', frame);
    return true;
  }

  take(frame) {
    this.log.frame(this.api.who, 'in', frame);
    if (frame.type === 'hello') this.greeted();
    if (frame.type === 'server.draining') this.waitMs = frame.reconnect_after_ms;
    this.on.frame(frame);
  }

  greeted() {
    this.waitMs = FIRST_WAIT_MS;
    this.renewLater();
    const sessions = this.on.positions();
    if (sessions.length > 0) this.send({ type: 'resume', sessions });
    this.become('live');
  }

  renewLater() {
    const lifeMs = this.api.tokens.expires_in * 1000;
    clearTimeout(this.renewal);
    this.renewal = setTimeout(() => this.renew(), Math.max(lifeMs - RENEW_BEFORE_MS, lifeMs / 2));
  }

  async renew() {
    if (!(await this.api.refresh()) || !this.isLive) return;
    this.send({ type: 'auth', id: newId(), access_token: this.api.tokens.access_token });
    this.renewLater();
  }

  async broke(event) {
    this.leave();
    this.log.note(this.api.who, `the line broke: ${event.code} ${event.reason}`.trim(), true);
    this.become('waiting');
    if (event.code === REVOKED) {
      this.api.signIn(null);
      return;
    }
    let needsToken = event.code === NOT_SIGNED_IN;
    do {
      await this.wait();
      needsToken &&= !(await this.api.refresh());
    } while (needsToken && this.api.tokens && this.state === 'waiting');
    if (this.api.tokens && this.state === 'waiting') this.open();
  }

  wait() {
    const ms = this.waitMs;
    this.waitMs = Math.min(Math.max(ms, FIRST_WAIT_MS) * 2, LONGEST_WAIT_MS);
    return new Promise((done) => setTimeout(done, ms));
  }

  /** Lets go of the connection: a new one must not hear what the old one still has to say. */
  leave() {
    clearTimeout(this.renewal);
    this.ears?.abort();
    this.socket?.close();
    this.socket = null;
  }

  become(state) {
    this.state = state;
    this.on.state(state);
  }
}
