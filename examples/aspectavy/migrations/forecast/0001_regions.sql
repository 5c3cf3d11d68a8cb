-- The last good forecast of each region, and when to look for another. New table, locks nothing.
CREATE TABLE forecast_regions (
    region        text PRIMARY KEY,
    -- When somebody may next ask the feed: its time, the end of a pause, or of the lease of whoever asks.
    due_at        timestamptz NOT NULL,
    -- Counts the looks, so that one which took too long is not believed over a later one.
    turn          bigint NOT NULL DEFAULT 0,
    -- The last good one. Stays whatever the feed does.
    bulletin      jsonb,
    etag          text,
    last_modified text,
    -- When it came, and when the feed last said that it still holds.
    fetched_at    timestamptz,
    checked_at    timestamptz,
    -- Looks that failed since one did not.
    failures      integer NOT NULL DEFAULT 0,
    CHECK ((bulletin IS NULL) = (fetched_at IS NULL)),
    CHECK ((bulletin IS NULL) = (checked_at IS NULL))
);
