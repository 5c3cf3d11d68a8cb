-- Tracks as they were sent, and the cards that were made of them. New table, locks nothing.
CREATE TABLE routes (
    id          uuid PRIMARY KEY,
    owner_id    uuid NOT NULL,
    gpx         bytea NOT NULL,
    gpx_sha256  bytea NOT NULL,
    created_at  timestamptz NOT NULL,
    -- One of the two, once it is compiled: the card, or what is wrong with the track.
    compiled_at timestamptz,
    card        jsonb,
    problem     text,
    -- The same track again is the same route.
    UNIQUE (owner_id, gpx_sha256),
    CHECK ((compiled_at IS NULL) = (card IS NULL AND problem IS NULL)),
    CHECK (card IS NULL OR problem IS NULL)
);
CREATE INDEX routes_of_owner ON routes (owner_id, id DESC);
