// What goes over the wire, newest first: requests with their answers, and frames both ways.
//
// Bodies are shown when a row is opened. Tokens are never shown: pictures of this page are passed around.

import { make, parts } from './dom.js';

const ROWS_MAX = 300;
const SECRETS = new Set(['access_token', 'refresh_token']);
/** What each side sends now and then without anybody doing anything. */
const SIGNS_OF_LIFE = new Set(['ping', 'pong', 'heartbeat', 'beacon']);

/** Ids are told apart by their ends; the whole of them stands in the body. */
const LONG_ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){4}[0-9a-f]{4}([0-9a-f]{4})/g;

const ARROWS = { http: '⇄', out: '→', in: '←', note: '·' };
const KINDS = { http: 'request', out: 'sent', in: 'received', note: 'note' };

export class Log {
  constructor(root) {
    this.parts = parts(root);
    const { who, beats, clear } = this.parts;
    who.addEventListener('change', () => this.filter());
    beats.addEventListener('change', () => this.filter());
    clear.addEventListener('click', () => {
      this.parts.rows.replaceChildren();
      this.filter();
    });
    this.filter();
  }

  /** Adds somebody whose wire can be shown alone. */
  addPerson(name) {
    const option = make('option', '', name);
    option.value = name;
    this.parts.who.append(option);
  }

  /** A request and its answer. */
  request(who, method, path, exchange) {
    const outcome = exchange.status ? `${exchange.status}` : 'no answer';
    const title = `${method} ${path.replace(LONG_ID, '…$1')}`;
    const end = `${outcome} · ${Math.round(exchange.ms)} ms`;
    const isBad = !exchange.status || exchange.status >= 400;
    const sign = path.endsWith('/heartbeat') ? 'heartbeat' : path.endsWith('/availability') ? 'beacon' : '';
    const body = { path, request: exchange.request, answer: exchange.answer };
    this.add({ who, kind: 'http', title, end, body, isBad, sign });
  }

  /** A frame; `kind` is `in` or `out`. */
  frame(who, kind, frame) {
    const isBad = frame.type === 'error';
    this.add({ who, kind, title: frame.type, end: brief(frame), body: frame, isBad, sign: frame.type });
  }

  /** Something about the line itself. */
  note(who, title, isBad = false) {
    this.add({ who, kind: 'note', title, end: '', isBad, sign: '' });
  }

  add(entry) {
    const { rows } = this.parts;
    const row = make('li');
    row.dataset.who = entry.who;
    row.dataset.side = entry.who.split(' ')[0].toLowerCase();
    row.dataset.kind = entry.kind;
    row.classList.toggle('bad', entry.isBad);
    if (SIGNS_OF_LIFE.has(entry.sign)) row.dataset.sign = '';
    row.append(entry.body ? withBody(entry) : headOf(entry, 'p'));
    row.hidden = !this.isWanted(row);
    rows.prepend(row);
    while (rows.children.length > ROWS_MAX) rows.lastElementChild.remove();
    this.showEmpty();
  }

  isWanted(row) {
    const { who, beats } = this.parts;
    return (!who.value || row.dataset.who === who.value) && (beats.checked || !('sign' in row.dataset));
  }

  filter() {
    for (const row of this.parts.rows.children) row.hidden = !this.isWanted(row);
    this.showEmpty();
  }

  showEmpty() {
    const { rows, empty } = this.parts;
    rows.hidden = rows.querySelector(':scope > :not([hidden])') === null;
    empty.hidden = !rows.hidden;
  }
}

function headOf(entry, tag) {
  const head = make(tag, 'entry');
  const time = make('time', '', new Date().toLocaleTimeString([], { hour12: false }));
  const arrow = make('span', 'arrow', ARROWS[entry.kind]);
  arrow.setAttribute('role', 'img');
  arrow.setAttribute('aria-label', KINDS[entry.kind]);
  const what = make('span', 'what');
  what.append(breakable(entry.title));
  if (entry.end) what.append(make('small', '', entry.end));
  head.append(time, make('span', 'who', entry.who), arrow, what);
  return head;
}

/** A path that is too long breaks at its slashes. */
function breakable(title) {
  const code = make('code');
  for (const piece of title.split(/(?<=\w)(?=[/?])/)) code.append(piece, document.createElement('wbr'));
  return code;
}

function withBody(entry) {
  const details = make('details');
  details.append(headOf(entry, 'summary'));
  details.addEventListener('toggle', () => {
    if (details.open && !details.querySelector('pre')) {
      const pre = make('pre', '', JSON.stringify(entry.body, hideSecrets, 2));
      pre.tabIndex = 0;
      details.append(pre);
    }
  });
  return details;
}

function hideSecrets(key, value) {
  return SECRETS.has(key) && typeof value === 'string' ? '(left out)' : value;
}

/** A few words on what is in a frame. */
function brief(frame) {
  switch (frame.type) {
    case 'message.new':
    case 'ack':
      return `seq ${frame.message.seq}`;
    case 'message.read':
      return `up to ${frame.seq}`;
    case 'typing':
      return frame.typing ? 'yes' : 'no';
    case 'resume':
      return frame.sessions.map((it) => `after ${it.after_seq}`).join(', ') || 'nothing yet';
    case 'resumed':
      return frame.sessions.map((it) => `up to ${it.last_seq}`).join(', ');
    case 'session.updated':
    case 'offer.gone':
      return frame.reason;
    case 'request.updated':
      return frame.request.status;
    case 'payment.updated':
      return frame.payment.status;
    case 'error':
      return frame.code;
    default:
      return '';
  }
}
