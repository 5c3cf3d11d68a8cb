-- Limits of one-time codes by where they are asked from and by day, and messages that were refused.
-- `auth_otps` holds a day of codes: adding columns waits for its writers a moment, the index for as long
-- as it takes to read that day.

-- Keyed hash of the network (an IPv4 address, an IPv6 /64) that asked. Null in rows of a replica of before.
ALTER TABLE auth_otps ADD COLUMN network_hash bytea;
-- When the carrier refused the message. Such a row costs its phone nothing.
ALTER TABLE auth_otps ADD COLUMN refused_at timestamptz;
CREATE INDEX auth_otps_network ON auth_otps (network_hash, created_at DESC);

-- One row a day of UTC.
CREATE TABLE auth_otp_days (
    day          date PRIMARY KEY,
    -- Codes made, but for those that surely were not sent.
    codes        integer NOT NULL,
    -- When the day's budget was found spent for the first time.
    exhausted_at timestamptz
);
