-- Mitras as far as availability goes: their own switch, their limit, their last sign of life.
-- A row is made when a mitra first asks for its status or goes online.
CREATE TABLE mitras (
    mitra_id              uuid PRIMARY KEY,
    is_online             boolean NOT NULL DEFAULT false,
    is_active             boolean NOT NULL DEFAULT true,
    max_sessions          integer NOT NULL CHECK (max_sessions >= 0),
    online_since          timestamptz,
    last_heartbeat_at     timestamptz,
    -- The last heartbeat that came here because Valkey was away. A mirror that missed it must not
    -- take the mitra offline.
    fallback_heartbeat_at timestamptz,
    -- Grows with every change that the mirror shows, so that an older state never overwrites a newer
    -- one there, whatever order two processes arrive in.
    version               bigint NOT NULL DEFAULT 1,
    updated_at            timestamptz NOT NULL
);

-- The reads of the fallback look at online mitras alone.
CREATE INDEX mitras_online ON mitras (mitra_id) WHERE is_online;
