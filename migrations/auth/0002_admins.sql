-- What admins may do, where they have signed in from, and closing an account without reading the
-- sessions through. `users` and `auth_sessions` wait for as long as it takes to read them once, which
-- for the sizes they have before the first release is no time.

-- Null for whoever is no admin. An admin without one, made by a replica of before, is an operator.
ALTER TABLE users ADD COLUMN admin_role text
    CONSTRAINT users_admin_role CHECK (
        admin_role IS NULL
        OR (role = 'admin' AND admin_role IN ('owner', 'operator', 'viewer'))
    );
-- Whoever was admin until now could do everything.
UPDATE users SET admin_role = 'owner' WHERE role = 'admin' AND closed_at IS NULL;

-- The device of a session is erased with the account, also where the session had ended before.
CREATE INDEX auth_sessions_ended ON auth_sessions (user_id)
    WHERE revoked_at IS NOT NULL AND device_platform IS NOT NULL;

-- In auth_login_failures an empty account_hash counts a network's tries for all accounts, and an empty
-- address an account's tries from all networks that are strange to it. Addresses are networks now: an
-- IPv4 address, or the /64 of an IPv6 one.

-- Networks from which an account's right password has come, which a stranger's failures cannot close.
CREATE TABLE auth_known_networks (
    -- Both keyed: whose, and from where.
    account_hash bytea NOT NULL,
    network_hash bytea NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (account_hash, network_hash)
);
CREATE INDEX auth_known_networks_used ON auth_known_networks (last_used_at);
