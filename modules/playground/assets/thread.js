// The messages of one session as one side knows them.
//
// `position` is the last number up to which nothing is missing: what is asked for after a line was
// mended. A message that is known already is the same message, and one beyond a gap is not taken, because
// the answer to `resume` brings it again, in order.

export class Thread {
  constructor(sessionId) {
    this.sessionId = sessionId;
    this.position = 0;
    /** Up to which number the other side has read. */
    this.readByOther = 0;
    this.byMark = new Map();
  }

  /** Takes a message that was told: `new`, `known` or `gap`. */
  take(message, came) {
    if (message.seq <= this.position) return 'known';
    if (message.seq > this.position + 1) return 'gap';
    this.position = message.seq;
    const earlier = this.byMark.get(message.client_message_id);
    this.byMark.set(message.client_message_id, { ...message, came: earlier?.came ?? came });
    return 'new';
  }

  /** Notes a message of ours that is on its way. */
  send(mark, body, senderId) {
    this.byMark.set(mark, { client_message_id: mark, body, sender_id: senderId, seq: null, came: 'own' });
  }

  /** Our message is kept: it has its number. */
  kept(message) {
    this.byMark.set(message.client_message_id, { ...message, came: 'own' });
  }

  /** Our message was refused, and why. */
  refused(mark, reason) {
    const message = this.byMark.get(mark);
    if (message) message.refused = reason;
  }

  /** In the order of their numbers; what has none yet comes last. */
  messages() {
    const place = (message) => message.seq ?? Infinity;
    return [...this.byMark.values()].sort((one, two) => (place(one) < place(two) ? -1 : place(one) > place(two) ? 1 : 0));
  }
}
