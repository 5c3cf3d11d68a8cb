// The way through the page: what was done, and what to try next.

import { make, parts, say } from './dom.js';
import { keep, recall } from './memory.js';

const DONE = 'done';
/** How much of the step before is still seen. */
const AHEAD_PX = 60;

const STEPS = [
  ['customer', 'Sign in as customer', 'Sign the customer in: ask for a code, then show it.'],
  ['mitra', 'Sign in as mitra', 'Now the other side: sign the mitra in.'],
  ['online', 'Go online', 'Turn the mitra’s switch: the beacon above counts it.'],
  ['request', 'Ask for a chat', 'As the customer, choose how long and press “Find a mitra”.'],
  ['accept', 'Accept', 'The offer has reached the mitra. Accept it before the time is up.'],
  ['chat', 'Talk', 'Pay at the sandbox where it asks for it, then write on either side. Watch “typing” and the read marks.'],
  ['resume', 'Lose the line', 'Cut one side’s line, write on the other, mend it: what was missed arrives once, in order.'],
  ['extend', 'More time', 'As the customer, choose a package in the chat and press “Extend”.'],
  ['end', 'Say good-bye', 'End the chat on either side. Add another mitra before that to hand it on.'],
];

export class Guide {
  constructor(root) {
    this.parts = parts(root);
    this.done = new Set(recall(DONE));
    this.items = STEPS.map(([key, title]) => {
      const item = make('li', '', title);
      item.dataset.step = key;
      return item;
    });
    this.parts.steps.replaceChildren(...this.items);
    this.show();
  }

  /** A step was done; the same one again changes nothing. */
  reached(step) {
    if (this.done.has(step)) return;
    this.done.add(step);
    keep(DONE, [...this.done]);
    this.show();
  }

  /** On a narrow screen the steps are one line that scrolls. */
  bringIntoSight(item) {
    const { steps } = this.parts;
    steps.scrollLeft = item.offsetLeft - steps.offsetLeft - AHEAD_PX;
  }

  show() {
    const next = STEPS.findIndex(([key]) => !this.done.has(key));
    this.items.forEach((item, index) => {
      item.classList.toggle('done', this.done.has(STEPS[index][0]));
      if (index === next) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    this.bringIntoSight(this.items[Math.max(next, 0)]);
    say(this.parts.next, next < 0 ? 'That was the whole story. The wire tells it again, frame by frame.' : STEPS[next][2]);
  }
}
