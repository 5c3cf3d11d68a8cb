-- Waves, blocks, ratings, reports, retention. New tables lock nothing. The new columns have constant
-- defaults or none, which rewrites no table; filling offered_to and the indexes read chat_requests and
-- chat_sessions once, and hold up their writers for as long: seconds for a million rows.

-- To how many mitras the request is or was offered. Kept by the statements that make and withdraw
-- offers, under the request's row lock, so that nobody has to count a thousand rows to say it.
ALTER TABLE chat_requests ADD COLUMN offered_to integer NOT NULL DEFAULT 0;
UPDATE chat_requests r
    SET offered_to = (SELECT count(*) FROM chat_offers o WHERE o.request_id = r.id);
COMMENT ON COLUMN chat_requests.exclusive_until IS
    'Until then nobody else is asked: a preferred mitra or a wave is alone with the offer. Past means '
    'that the next wave is due; null that everybody was asked, and whoever comes is asked at once.';

-- Who does not want to meet whom. Only a customer and a mitra are ever paired, so the pair is kept as
-- such: one probe says whether the two may meet, whoever of them said so.
CREATE TABLE chat_blocks (
    id          uuid PRIMARY KEY,
    blocker_id  uuid NOT NULL,
    blocked_id  uuid NOT NULL,
    customer_id uuid NOT NULL,
    mitra_id    uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    CHECK ((blocker_id, blocked_id) IN ((customer_id, mitra_id), (mitra_id, customer_id)))
);
CREATE UNIQUE INDEX chat_blocks_once ON chat_blocks (blocker_id, blocked_id);
CREATE INDEX chat_blocks_listed ON chat_blocks (blocker_id, id);
CREATE INDEX chat_blocks_pair ON chat_blocks (customer_id, mitra_id);

-- What a customer thought of a session, once.
CREATE TABLE chat_ratings (
    session_id  uuid PRIMARY KEY REFERENCES chat_sessions (id),
    customer_id uuid NOT NULL,
    -- Whose session it was when it was rated.
    mitra_id    uuid NOT NULL,
    stars       smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    -- Null where nothing was said, and once it is too old to be kept.
    comment     text,
    created_at  timestamptz NOT NULL
);
CREATE INDEX chat_ratings_mitra ON chat_ratings (mitra_id, created_at);

-- Complaints, each with what was said before it: a copy, which outlives the messages themselves.
CREATE TABLE chat_reports (
    id            uuid PRIMARY KEY,
    session_id    uuid NOT NULL REFERENCES chat_sessions (id),
    reporter_id   uuid NOT NULL,
    reporter_role text NOT NULL CHECK (reporter_role IN ('customer', 'mitra')),
    reported_id   uuid NOT NULL,
    reason        text NOT NULL,
    details       text,
    -- The last messages, oldest first: seq, id, sender_id, sender_role, kind, body, attachment_id,
    -- sent_at.
    evidence      jsonb NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE INDEX chat_reports_reporter ON chat_reports (reporter_id, created_at);
CREATE INDEX chat_reports_session ON chat_reports (session_id);

-- When the personal text of a session or a request was deleted, and what still has some.
ALTER TABLE chat_sessions ADD COLUMN erased_at timestamptz;
ALTER TABLE chat_requests ADD COLUMN erased_at timestamptz;
CREATE INDEX chat_sessions_to_erase ON chat_sessions (ended_at)
    WHERE status = 'ended' AND erased_at IS NULL;
CREATE INDEX chat_requests_to_erase ON chat_requests (closed_at)
    WHERE closed_at IS NOT NULL AND erased_at IS NULL;

-- When a mitra's last session ended: since when it has been idle.
CREATE INDEX chat_sessions_last_ended ON chat_sessions (mitra_id, ended_at) WHERE status = 'ended';
