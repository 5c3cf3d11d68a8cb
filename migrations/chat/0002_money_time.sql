-- Sessions that are paid for, extended, and handed from one mitra to another; and the books of their time.
-- Columns are nullable or have defaults, so replicas of before write beside it. It holds chat_sessions and
-- chat_requests for a scan of each and rewrites neither: a second or two for a million sessions, and nobody
-- has so many before they are paid for.

ALTER TABLE chat_sessions
    -- Until when it waits: for its payment, or for another mitra. Null while it waits for neither.
    ADD COLUMN waits_until         timestamptz,
    -- Since when its clock has been running, this time; null while it stands.
    ADD COLUMN clock_since         timestamptz,
    -- What is left of its time while the clock stands for a reroute.
    ADD COLUMN paused_ms           bigint CHECK (paused_ms >= 0),
    -- The extension that waits for its payment; one at a time.
    ADD COLUMN unpaid_extension_id uuid,
    -- Since when its mitra has had it, and whether that mitra has answered the customer since.
    ADD COLUMN held_since          timestamptz,
    ADD COLUMN is_answered         boolean NOT NULL DEFAULT false,
    -- The mitras that had it before, oldest first.
    ADD COLUMN former_mitra_ids    uuid[] NOT NULL DEFAULT '{}',
    -- What happened to it last, as `session.updated` tells it.
    ADD COLUMN last_change         text,
    ADD CONSTRAINT chat_sessions_pending_until
        CHECK (status <> 'pending_payment' OR waits_until IS NOT NULL),
    ADD CONSTRAINT chat_sessions_rerouting_until
        CHECK (status <> 'rerouting' OR (waits_until IS NOT NULL AND paused_ms IS NOT NULL));

CREATE INDEX chat_sessions_waiting ON chat_sessions (waits_until)
    WHERE status IN ('pending_payment', 'rerouting');
CREATE INDEX chat_sessions_unanswered ON chat_sessions (held_since)
    WHERE status = 'active' AND NOT is_answered;
CREATE INDEX chat_sessions_unpaid_extension ON chat_sessions (expires_at)
    WHERE status = 'active' AND unpaid_extension_id IS NOT NULL;

-- A session that looks for another mitra does it by a request of its own, which its customer never sees.
ALTER TABLE chat_requests
    ADD COLUMN reroute_of         uuid,
    -- Mitras to whom it must not be offered.
    ADD COLUMN excluded_mitra_ids uuid[] NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX chat_requests_one_search ON chat_requests (reroute_of) WHERE status = 'searching';

-- Why something happened: a word of ours, or what the mitra wrote.
ALTER TABLE chat_events ADD COLUMN note text;

CREATE TABLE chat_extensions (
    id         uuid PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    -- The package as it was when it was asked for.
    package    jsonb NOT NULL,
    status     text NOT NULL CHECK (status IN ('pending_payment', 'applied', 'lapsed')),
    created_at timestamptz NOT NULL,
    closed_at  timestamptz,
    CHECK ((status = 'pending_payment') = (closed_at IS NULL))
);
CREATE INDEX chat_extensions_of_session ON chat_extensions (session_id, id);

-- The books: a row for all time that was bought, consumed or returned, written in the transaction in which
-- that happened and never changed. Of every session at every commit, in milliseconds:
--   bought - consumed - returned = what is left of it, which is expires_at - clock_since while the clock
--   runs, paused_ms while it stands, and 0 before the start and after the end.
CREATE TABLE chat_time (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('bought', 'consumed', 'returned')),
    ms         bigint NOT NULL CHECK (ms > 0),
    -- What was bought: the session itself or its extension.
    subject_id uuid,
    at         timestamptz NOT NULL,
    CHECK ((kind = 'bought') = (subject_id IS NOT NULL))
);
CREATE INDEX chat_time_of_session ON chat_time (session_id, id);
CREATE UNIQUE INDEX chat_time_bought_once ON chat_time (subject_id) WHERE kind = 'bought';
CREATE UNIQUE INDEX chat_time_returned_once ON chat_time (session_id) WHERE kind = 'returned';

-- Sessions of before started at once and ran to their end without a pause.
UPDATE chat_sessions SET clock_since = started_at, held_since = started_at WHERE status = 'active';

INSERT INTO chat_time (session_id, kind, ms, subject_id, at)
SELECT id, entry.kind, entry.ms, CASE WHEN entry.kind = 'bought' THEN id END, entry.at
FROM chat_sessions, LATERAL (
    SELECT (extract(epoch FROM expires_at - started_at) * 1000)::bigint AS bought,
        (extract(epoch FROM ended_at - started_at) * 1000)::bigint AS ran
) AS whole, LATERAL (VALUES
    ('bought', bought, started_at),
    ('consumed', CASE WHEN end_reason = 'mitra_ended' THEN ran WHEN status = 'ended' THEN bought END, ended_at),
    ('returned', CASE WHEN end_reason = 'mitra_ended' THEN bought - ran END, ended_at)
) AS entry (kind, ms, at)
WHERE started_at IS NOT NULL AND expires_at IS NOT NULL AND entry.ms > 0;
