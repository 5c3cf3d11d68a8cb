-- Where apps can be reached while they sleep: one row a registration token of FCM. New tables, so no
-- statement here waits for a lock.
CREATE TABLE device_tokens (
    -- As FCM gave it to the app. Whoever holds one can do nothing with it without our key.
    token      text PRIMARY KEY,
    -- Of this registration. Jobs name it instead of the token: one that has moved on to another person
    -- has another id, and gets nothing that was meant for the one before.
    id         uuid NOT NULL UNIQUE,
    user_id    uuid NOT NULL,
    -- The sign-in session that sent it last, with which it goes.
    session_id uuid NOT NULL,
    platform   text NOT NULL CHECK (platform IN ('android', 'ios', 'web')),
    created_at timestamptz NOT NULL,
    -- When it was sent last.
    seen_at    timestamptz NOT NULL
);
CREATE INDEX device_tokens_user ON device_tokens (user_id, seen_at DESC);
CREATE INDEX device_tokens_session ON device_tokens (session_id);
