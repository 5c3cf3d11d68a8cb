// The beacon: whether anybody can be asked, as every customer's app shows it before the sign-in.

import { counted, parts, say } from './dom.js';

const EVERY_MS = 5000;
/** The server repeats an answer for a second. */
const SOON_MS = 1100;

export class Beacon {
  constructor(root, api) {
    this.parts = parts(root);
    this.api = api;
    this.look();
  }

  /** Looks again once the answer may have changed. */
  lookSoon() {
    this.later(SOON_MS);
  }

  later(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), ms);
  }

  async look() {
    try {
      const { available, available_mitras: count } = await this.api.get('/api/customer/availability');
      this.show(available ? 'on' : 'off', `${counted(count, 'mitra')} available`);
    } catch {
      this.show('away', 'the beacon does not answer');
    }
    this.later(EVERY_MS);
  }

  show(state, words) {
    this.parts.root.dataset.state = state;
    say(this.parts.words, words);
  }
}
