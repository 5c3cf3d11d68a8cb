-- Who people are and how they sign in. All tables are new, so no statement here waits for a lock.

-- One person may be a customer and a mitra with the same phone: those are two accounts.
CREATE TABLE users (
    id            uuid PRIMARY KEY,
    role          text NOT NULL CHECK (role IN ('customer', 'mitra', 'admin')),
    -- E.164; null once the account is closed.
    phone         text,
    -- Lower case.
    email         text,
    -- bcrypt; admins alone have one.
    password_hash text,
    display_name  text NOT NULL,
    language      text NOT NULL DEFAULT 'id' CHECK (language IN ('id', 'en')),
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL,
    -- Closed by its owner: phone, email, name and password are erased, the row stays for the records
    -- that point at it.
    closed_at     timestamptz,
    CONSTRAINT users_closed_is_empty CHECK (
        closed_at IS NULL
        OR (phone IS NULL AND email IS NULL AND password_hash IS NULL AND display_name = ''
            AND NOT is_active)
    )
);
CREATE UNIQUE INDEX users_role_phone ON users (role, phone) WHERE phone IS NOT NULL;
CREATE UNIQUE INDEX users_role_email ON users (role, email) WHERE email IS NOT NULL;

-- One row a signed-in device: the unit of revocation, and a family of refresh tokens. Every refresh
-- updates its row: what it changes is kept out of the indexes and pages are left a fifth empty, so
-- that the new version stays on its page. (`auth-cleanup` reads the table through, once an hour.)
CREATE TABLE auth_sessions (
    id                 uuid PRIMARY KEY,
    user_id            uuid NOT NULL REFERENCES users (id),
    role               text NOT NULL,
    created_at         timestamptz NOT NULL,
    -- Sign-in or the last refresh.
    last_used_at       timestamptz NOT NULL,
    -- SHA-256 of the living refresh token.
    refresh_hash       bytea NOT NULL,
    -- SHA-256 of the one it replaced, when that was, and how often it has been shown since.
    previous_hash      bytea,
    rotated_at         timestamptz,
    previous_uses      smallint NOT NULL DEFAULT 0,
    refresh_expires_at timestamptz NOT NULL,
    revoked_at         timestamptz,
    -- logout, signed_out, account_closed, account_disabled, refresh_reused
    revoke_reason      text,
    device_platform    text,
    device_name        text,
    device_app_version text
) WITH (fillfactor = 80);
CREATE INDEX auth_sessions_user ON auth_sessions (user_id, id DESC) WHERE revoked_at IS NULL;
CREATE INDEX auth_sessions_revoked ON auth_sessions (revoked_at) WHERE revoked_at IS NOT NULL;

-- One row a one-time code asked for.
CREATE TABLE auth_otps (
    id            uuid PRIMARY KEY,
    -- Null once the code is used or its owner's account closed.
    phone         text,
    -- Keyed, so that limits can be counted without the number itself.
    phone_hash    bytea NOT NULL,
    role          text NOT NULL,
    channel       text NOT NULL,
    -- Keyed; random where no code opens this row.
    code_hash     bytea NOT NULL,
    attempts_left smallint NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX auth_otps_phone ON auth_otps (phone_hash, created_at DESC);
CREATE INDEX auth_otps_created ON auth_otps (created_at);

-- Sign-ins by password that are not known to have been right, counted per account and address.
CREATE TABLE auth_login_failures (
    -- Keyed hash of the email that was typed.
    account_hash      bytea NOT NULL,
    address           text NOT NULL,
    failures          integer NOT NULL,
    window_started_at timestamptz NOT NULL,
    PRIMARY KEY (account_hash, address)
);
CREATE INDEX auth_login_failures_window ON auth_login_failures (window_started_at);
