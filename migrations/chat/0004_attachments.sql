-- What a message carries, as it was when it was sent: history is read without asking whoever keeps the
-- file. The table is locked for as long as one pass over it takes; no message has an attachment yet, so
-- the index is empty.
ALTER TABLE chat_messages ADD COLUMN attachment jsonb;
ALTER TABLE chat_messages ADD CHECK ((attachment IS NULL) = (attachment_id IS NULL)) NOT VALID;
-- Whether any message still names an upload.
CREATE INDEX chat_messages_attachments ON chat_messages (attachment_id) WHERE attachment_id IS NOT NULL;
