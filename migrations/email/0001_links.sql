-- Links that sign somebody in by email. The table is new, so no statement here waits for a lock.

-- One row a link that was asked for; kept for a day, for the limits that count them.
CREATE TABLE email_links (
    id             uuid PRIMARY KEY,
    -- SHA-256 of the token in the link, which has 256 random bits.
    token_hash     bytea NOT NULL,
    -- Lower case; null once the link is used or its owner's account closed.
    email          text,
    -- Keyed, so that limits can be counted without the email and the address themselves.
    recipient_hash bytea NOT NULL,
    network_hash   bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz
);
CREATE UNIQUE INDEX email_links_token ON email_links (token_hash);
CREATE INDEX email_links_recipient ON email_links (recipient_hash, created_at DESC);
CREATE INDEX email_links_network ON email_links (network_hash, created_at DESC);
CREATE INDEX email_links_created ON email_links (created_at DESC);
CREATE INDEX email_links_email ON email_links (email) WHERE email IS NOT NULL;
