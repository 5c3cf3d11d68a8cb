-- What people have uploaded. The bytes are files below UPLOAD_ROOT; a row is written once its file is
-- complete, and deleted before it. Sessions belong to another module and are known by id alone.

CREATE TABLE uploads (
    id           uuid PRIMARY KEY,
    owner_id     uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('image', 'audio')),
    content_type text NOT NULL,
    size         bigint NOT NULL CHECK (size > 0),
    -- Of a picture, in pixels.
    width        integer,
    height       integer,
    -- Chance alone: nothing about an upload can be told from the name of its file.
    file_name    text NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    -- The session that it was sent in; null until it was.
    session_id   uuid,
    attached_at  timestamptz,
    CHECK ((session_id IS NULL) = (attached_at IS NULL)),
    CHECK ((width IS NULL) = (height IS NULL))
);
-- How much somebody has uploaded lately.
CREATE INDEX uploads_of_owner ON uploads (owner_id, created_at);
-- Those that were never sent.
CREATE INDEX uploads_unsent ON uploads (created_at) WHERE session_id IS NULL;

-- The mark that a folder of files must bear before anything in it is deleted for having no row here: a
-- server that is pointed at the wrong folder, or the wrong database, deletes nothing.
CREATE TABLE upload_mark (
    is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    id         uuid NOT NULL
);
