// What outlives a reload of this tab, and only of this tab.

const PREFIX = 'halobestie.playground.';

/** What was kept under a name; `null` where nothing was. */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Keeps something; `null` forgets it. A browser that keeps nothing is no reason to stop. */
export function keep(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(PREFIX + name);
    else sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // The page works without it, until it is loaded again.
  }
}
