// The playground: people side by side, the log of what they send and get, and a guide through it.

import { Api } from './api.js';
import { Beacon } from './beacon.js';
import { Guide } from './guide.js';
import { Log } from './log.js';
import { keep, recall } from './memory.js';
import { Pane } from './pane.js';

/** The sample mitras that `seed` makes. */
const MITRAS_MAX = 8;
const MITRAS = 'mitras';

const find = (id) => document.getElementById(id);

const log = new Log(find('log'));
const guide = new Guide(find('guide'));
const beacon = new Beacon(find('beacon'), new Api('Anybody', log, () => {}));
const shared = { log, guide, beacon, sandbox: document.body.dataset.sandbox };
const panes = [];

log.addPerson('Anybody');

function addPane(person) {
  const pane = new Pane(person, shared);
  panes.push(pane);
  log.addPerson(person.name);
  find('people').append(pane.root);
  pane.try(() => pane.restore());
  return pane;
}

function addMitra() {
  const number = panes.length;
  const name = number === 1 ? 'Mitra' : `Mitra ${number}`;
  const pane = addPane({ key: `mitra-${number}`, role: 'mitra', name, phone: `+628120000000${number}` });
  keep(MITRAS, number);
  find('add-mitra').disabled = number >= MITRAS_MAX;
  return pane;
}

if (shared.sandbox) {
  find('sandbox').href = shared.sandbox;
  find('sandbox').hidden = false;
}
addPane({ key: 'customer', role: 'customer', name: 'Customer', phone: '+6281311112222' });
for (let mitra = 0; mitra < (recall(MITRAS) ?? 1); mitra += 1) addMitra();

find('add-mitra').addEventListener('click', () => {
  const pane = addMitra();
  pane.root.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  pane.signIn.parts.phone.focus({ preventScroll: true });
});

setInterval(() => panes.forEach((pane) => pane.tick()), 500);
