// Small hands for the page: templates and their parts, text, ids. Text only ever becomes text, never markup.

/** The elements below `root` that are named by `data-ref`. */
export function parts(root) {
  const found = { root };
  for (const element of root.querySelectorAll('[data-ref]')) found[element.dataset.ref] = element;
  return found;
}

/** A copy of a template and its parts. */
export function copy(template) {
  const content = document.getElementById(template).content;
  return parts(content.firstElementChild.cloneNode(true));
}

/** A new element. */
export function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

/** Shows this text, and touches nothing when it stands there already: screen readers read changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A UUID; `crypto.randomUUID` is missing where the page comes from another machine by plain http. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const MONEY = new Intl.NumberFormat('id-ID', { style: 'currency', currency: 'IDR', maximumFractionDigits: 0 });

/** An amount of rupiah. */
export function rupiah(amount) {
  return amount > 0 ? MONEY.format(amount) : 'free';
}

/** 1 mitra, 2 mitras. */
export function counted(count, word) {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
