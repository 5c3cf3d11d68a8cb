-- Requests of customers, their offers to mitras, the sessions that come of them, what was said in
-- them, and a row for every transition. People are known by id alone: they belong to other modules.

CREATE TABLE chat_requests (
    id                 uuid PRIMARY KEY,
    customer_id        uuid NOT NULL,
    status             text NOT NULL
                       CHECK (status IN ('searching', 'matched', 'expired', 'cancelled')),
    topic              text,
    -- The package as it was when it was asked for: id, name, minutes, amount, currency.
    package            jsonb NOT NULL,
    preferred_mitra_id uuid,
    -- Until then the preferred mitra alone is asked; null means everybody at once.
    exclusive_until    timestamptz,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    closed_at          timestamptz,
    mitra_id           uuid,
    session_id         uuid,
    CHECK ((status = 'matched') = (session_id IS NOT NULL)),
    CHECK ((status = 'searching') = (closed_at IS NULL))
);
-- A customer waits for one answer at a time.
CREATE UNIQUE INDEX chat_requests_one_open ON chat_requests (customer_id) WHERE status = 'searching';
CREATE INDEX chat_requests_due ON chat_requests (expires_at) WHERE status = 'searching';

CREATE TABLE chat_offers (
    request_id  uuid NOT NULL REFERENCES chat_requests (id) ON DELETE CASCADE,
    mitra_id    uuid NOT NULL,
    offered_at  timestamptz NOT NULL,
    declined_at timestamptz,
    PRIMARY KEY (request_id, mitra_id)
);

CREATE TABLE chat_sessions (
    id                uuid PRIMARY KEY,
    request_id        uuid NOT NULL,
    customer_id       uuid NOT NULL,
    mitra_id          uuid NOT NULL,
    status            text NOT NULL
                      CHECK (status IN ('pending_payment', 'active', 'rerouting', 'ended')),
    topic             text,
    package           jsonb NOT NULL,
    created_at        timestamptz NOT NULL,
    -- Both null until the clock starts.
    started_at        timestamptz,
    expires_at        timestamptz,
    ended_at          timestamptz,
    end_reason        text
                      CHECK (end_reason IN ('customer_ended', 'mitra_ended', 'expired',
                             'payment_expired', 'reroute_failed', 'admin_ended')),
    -- The number of the last message; its row lock is what makes seq gap-free in commit order.
    last_seq          bigint NOT NULL DEFAULT 0,
    -- Counts the changes that both sides must hear of, so that a socket sees what it missed.
    version           bigint NOT NULL DEFAULT 1,
    customer_read_seq bigint NOT NULL DEFAULT 0,
    mitra_read_seq    bigint NOT NULL DEFAULT 0,
    -- The nearest warning already given, in seconds before the end.
    warned_seconds    integer,
    CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((status = 'ended') = (end_reason IS NOT NULL)),
    CHECK (status <> 'active' OR expires_at IS NOT NULL)
) WITH (fillfactor = 70); -- every message updates its session's row: room for it on the same page
-- A customer talks to one mitra at a time.
CREATE UNIQUE INDEX chat_sessions_one_open ON chat_sessions (customer_id) WHERE status <> 'ended';
-- How many open sessions a mitra has.
CREATE INDEX chat_sessions_load ON chat_sessions (mitra_id) WHERE status <> 'ended';
CREATE INDEX chat_sessions_due ON chat_sessions (expires_at) WHERE status = 'active';
CREATE INDEX chat_sessions_of_customer ON chat_sessions (customer_id, id);
CREATE INDEX chat_sessions_of_mitra ON chat_sessions (mitra_id, id);

CREATE TABLE chat_messages (
    session_id        uuid NOT NULL REFERENCES chat_sessions (id) ON DELETE CASCADE,
    seq               bigint NOT NULL,
    id                uuid NOT NULL,
    client_message_id text NOT NULL,
    sender_id         uuid NOT NULL,
    sender_role       text NOT NULL CHECK (sender_role IN ('customer', 'mitra')),
    kind              text NOT NULL CHECK (kind IN ('text', 'image', 'audio')),
    body              text NOT NULL,
    attachment_id     uuid,
    sent_at           timestamptz NOT NULL,
    PRIMARY KEY (session_id, seq)
);
-- The same message sent again is the same message.
CREATE UNIQUE INDEX chat_messages_sent_once
    ON chat_messages (session_id, sender_id, client_message_id);

-- The audit: one row a transition of a request or a session, written in its transaction.
CREATE TABLE chat_events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id uuid,
    session_id uuid,
    event      text NOT NULL,
    actor_id   uuid,
    actor      text NOT NULL CHECK (actor IN ('customer', 'mitra', 'admin', 'system')),
    at         timestamptz NOT NULL
);
CREATE INDEX chat_events_session ON chat_events (session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX chat_events_request ON chat_events (request_id, id) WHERE request_id IS NOT NULL;
