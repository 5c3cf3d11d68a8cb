// What a mitra sees outside of a chat: the switch, the signs of life, and offers.

import { minutesAndSeconds, msUntil } from './clock.js';
import { copy, counted, rupiah, say } from './dom.js';

export class MitraHome {
  constructor(pane) {
    this.pane = pane;
    this.parts = copy('mitra');
    this.root = this.parts.root;
    this.status = null;
    this.offers = new Map();
    /** What this side answers itself: that such an offer is gone is no news. */
    this.answered = new Set();
    this.parts.online.addEventListener('click', () => pane.act(() => this.turn()));
  }

  async enter() {
    this.show(await this.pane.api.get('/api/mitra/status'));
    const known = [...this.offers.keys()];
    const { items } = await this.pane.api.get('/api/mitra/chat/offers');
    const open = new Set(items.map((it) => it.request_id));
    for (const requestId of known.filter((it) => !open.has(it))) this.drop(requestId);
    for (const offer of items) this.add(offer);
    this.beatLater(this.status.heartbeat_interval_seconds);
  }

  leave() {
    clearTimeout(this.nextBeat);
    this.offers.clear();
    this.parts.offers.replaceChildren();
    this.parts.online.disabled = true;
    this.status = null;
  }

  async turn() {
    const way = this.status.online ? 'offline' : 'online';
    this.show(await this.pane.api.post(`/api/mitra/status/${way}`));
    this.beatLater(this.status.heartbeat_interval_seconds);
    if (this.status.online) this.pane.reached('online');
    this.pane.shared.beacon.lookSoon();
  }

  /** Shows a sign of life, on the line or by a request, for as long as the mitra is online. */
  async beat() {
    if (!this.pane.line.send({ type: 'heartbeat' })) {
      this.heard(await this.pane.api.post('/api/mitra/status/heartbeat'));
    }
    this.beatLater(this.status.heartbeat_interval_seconds);
  }

  beatLater(seconds) {
    clearTimeout(this.nextBeat);
    if (!this.status?.online) return;
    this.nextBeatAt = Date.now() + seconds * 1000;
    this.nextBeat = setTimeout(() => this.pane.try(() => this.beat()), seconds * 1000);
  }

  /** The answer to a sign of life: the server may have set the mitra offline. */
  heard({ online, next_heartbeat_seconds: seconds }) {
    if (!this.status) return;
    if (!online && this.status.online) this.pane.tell('The server has set this mitra offline.');
    this.show({ ...this.status, online });
    this.beatLater(seconds);
  }

  /** How much the mitra has taken may have changed. */
  async lookAgain() {
    if (this.status) this.show(await this.pane.api.get('/api/mitra/status'));
  }

  show(status) {
    this.status = status;
    this.parts.online.disabled = false;
    this.parts.online.setAttribute('aria-checked', String(status.online));
    this.showEmpty();
    this.tick();
  }

  showEmpty() {
    const { empty } = this.parts;
    empty.hidden = this.offers.size > 0 || this.pane.chat.current !== null;
    say(empty, this.status?.online ? 'Offers will appear here.' : 'Go online to be asked.');
  }

  add(offer) {
    if (this.offers.has(offer.request_id)) return;
    const parts = copy('offer');
    const { package: item } = offer;
    say(parts.customer, offer.customer.display_name || 'A customer');
    const time = offer.remaining_seconds ? `the last ${minutesAndSeconds(offer.remaining_seconds * 1000)} of ` : '';
    say(parts.package, `asks for ${time}${item.name}, ${rupiah(item.amount)}`);
    say(parts.topic, offer.topic ? `“${offer.topic}”` : '');
    parts.topic.hidden = !offer.topic;
    parts.accept.addEventListener('click', () => this.pane.act(() => this.accept(offer.request_id)));
    parts.decline.addEventListener('click', () => this.pane.act(() => this.decline(offer.request_id)));
    this.parts.offers.append(parts.root);
    this.offers.set(offer.request_id, { offer, parts });
    this.showEmpty();
    this.tick();
  }

  /** An offer that is gone, and why. */
  gone(requestId, reason) {
    const isNews = this.offers.has(requestId) && !this.answered.has(requestId);
    this.drop(requestId);
    if (isNews) this.pane.tell(`An offer is gone: ${reason}.`);
  }

  drop(requestId) {
    this.offers.get(requestId)?.parts.root.remove();
    this.offers.delete(requestId);
    this.showEmpty();
  }

  async accept(requestId) {
    this.answered.add(requestId);
    const session = await this.pane.api.post(`/api/mitra/chat/offers/${requestId}/accept`);
    this.drop(requestId);
    this.pane.reached('accept');
    await this.pane.chat.update(session);
    this.pane.chat.view.focus();
  }

  async decline(requestId) {
    this.answered.add(requestId);
    await this.pane.api.post(`/api/mitra/chat/offers/${requestId}/decline`);
    this.drop(requestId);
    this.pane.tell('Declined: the offer is not listed here again.');
  }

  focus() {
    this.pane.focus(this.parts.online);
  }

  tick() {
    for (const { offer, parts } of this.offers.values()) {
      say(parts.left, minutesAndSeconds(msUntil(offer.expires_at)));
    }
    if (!this.status) return;
    const { online, active, capacity } = this.status;
    const load = `${capacity.in_use} of ${counted(capacity.max, 'chat')}`;
    const beat = Math.max(0, Math.ceil((this.nextBeatAt - Date.now()) / 1000));
    const life = online ? `${load} · next sign of life in ${beat} s` : load;
    say(this.parts.life, active ? life : 'An admin has deactivated this mitra.');
  }
}
