-- What admins look at. Columns without defaults rewrite nothing; the index reads chat_messages once and holds
-- up its writers for as long: seconds for a million messages, and nobody has so many before the first release.

-- Where a report is, and what was written about it.
ALTER TABLE chat_reports
    ADD COLUMN status     text NOT NULL DEFAULT 'open'
                          CHECK (status IN ('open', 'in_review', 'resolved', 'dismissed')),
    ADD COLUMN note       text,
    ADD COLUMN handled_by uuid,
    ADD COLUMN handled_at timestamptz;

-- How many messages a minute. It grows at its right edge alone.
CREATE INDEX chat_messages_sent ON chat_messages (sent_at);
