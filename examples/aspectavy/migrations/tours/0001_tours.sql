-- Tours while they are recorded, and what they came to. New tables, lock nothing.
CREATE TABLE tours (
    id           uuid PRIMARY KEY,
    owner_id     uuid NOT NULL,
    started_at   timestamptz NOT NULL,
    -- No point is taken from here on.
    ended_at     timestamptz,
    finalised_at timestamptz,
    summary      jsonb,
    CHECK ((finalised_at IS NULL) = (summary IS NULL)),
    CHECK (finalised_at IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX tours_of_owner ON tours (owner_id, id DESC);

CREATE TABLE tour_points (
    tour_id     uuid NOT NULL REFERENCES tours ON DELETE CASCADE,
    at          timestamptz NOT NULL,
    latitude    double precision NOT NULL,
    longitude   double precision NOT NULL,
    elevation_m double precision,
    -- A point that is sent again is the same point.
    PRIMARY KEY (tour_id, at)
);
