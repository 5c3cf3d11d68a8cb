// The server's time, by what it says in `hello`: this machine's clock may be wrong.

let aheadMs = 0;

/** Takes note of the server's time. */
export function setServerTime(text) {
  aheadMs = Date.parse(text) - Date.now();
}

/** Milliseconds until a moment of the server's time; never less than 0. */
export function msUntil(text) {
  return Math.max(0, Date.parse(text) - Date.now() - aheadMs);
}

/** Minutes and seconds: 14:59. */
export function minutesAndSeconds(ms) {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The time of day, as this machine's people write it. */
export function timeOfDay(text, options = { hour: '2-digit', minute: '2-digit' }) {
  return new Date(text).toLocaleTimeString([], options);
}
