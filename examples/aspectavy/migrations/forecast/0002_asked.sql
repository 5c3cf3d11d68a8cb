-- Tells a region that somebody asks the feed for from one that is left alone for a while. A column without a
-- default: no row is written.
ALTER TABLE forecast_regions
    -- The end of the lease of whoever asks; null while nobody does.
    ADD COLUMN asked_until timestamptz;
