// What a customer sees outside of a chat: the price list, and a request that looks for a mitra.

import { minutesAndSeconds, msUntil } from './clock.js';
import { copy, counted, make, newId, rupiah, say } from './dom.js';

export class CustomerHome {
  constructor(pane) {
    this.pane = pane;
    this.parts = copy('customer');
    this.root = this.parts.root;
    this.packages = [];
    this.request = null;
    this.parts.ask.addEventListener('submit', (event) => {
      event.preventDefault();
      pane.act(() => this.ask());
    });
    this.parts.cancel.addEventListener('click', () => pane.act(() => this.cancel()));
  }

  /** After the sign-in; a request that was open goes on. */
  async enter() {
    await this.loadPackages();
    const requestId = this.pane.remembered('request_id');
    if (requestId) this.update(await this.pane.api.get(`/api/customer/chat/requests/${requestId}`));
    else this.show(null);
  }

  leave() {
    this.show(null);
  }

  async loadPackages() {
    const { items } = await this.pane.api.get('/api/customer/packages');
    this.packages = items;
    const choices = items.map((it, index) => choice(it, this.pane.key, index === 0));
    this.parts.packages.replaceChildren(...choices);
    this.parts.find.disabled = false;
    this.pane.chat.offerPackages(items);
  }

  async ask() {
    const chosen = this.parts.packages.querySelector('input:checked');
    const topic = this.parts.topic.value.trim();
    const wish = { package_id: chosen?.value, ...(topic && { topic }) };
    const request = await this.pane.api.post('/api/customer/chat/requests', wish, newId());
    this.update(request);
    this.pane.reached('request');
    this.pane.focus(this.parts.cancel);
  }

  async cancel() {
    this.update(await this.pane.api.post(`/api/customer/chat/requests/${this.request.id}/cancel`));
    this.focus();
  }

  /** The request as the server tells it. */
  update(request) {
    switch (request.status) {
      case 'searching':
        this.show(request);
        return;
      case 'expired':
        this.pane.tell('Nobody took the request in time. Ask again, or let more mitras go online.');
        break;
      case 'cancelled':
        this.pane.tell('The request is taken back.');
        break;
      default:
    }
    this.show(null);
  }

  show(request) {
    this.request = request;
    this.pane.remember('request_id', request?.id ?? null);
    this.parts.ask.hidden = request !== null;
    this.parts.searching.hidden = request === null;
    if (request) say(this.parts.asked, `${counted(request.offered_to, 'mitra')} asked`);
    this.tick();
  }

  focus() {
    this.pane.focus(this.parts.find);
  }

  tick() {
    if (this.request) say(this.parts.left, minutesAndSeconds(msUntil(this.request.expires_at)));
  }
}

/** A package to choose. */
function choice(item, group, isChosen) {
  const label = make('label', 'package');
  const input = document.createElement('input');
  Object.assign(input, { type: 'radio', name: `package-${group}`, value: item.id, checked: isChosen });
  label.append(input, make('b', '', item.name), make('span', '', rupiah(item.amount)));
  return label;
}
