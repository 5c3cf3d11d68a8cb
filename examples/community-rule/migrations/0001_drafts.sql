-- Drafts, what was refused because a draft had changed, and what is published. All tables are new, so no
-- statement here waits for a lock. People belong to another module and are known by id alone.

CREATE TABLE drafts (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    key        text NOT NULL,
    -- Another one with each change, and never one of before: the draft's ETag.
    tag        uuid NOT NULL,
    -- JSON as it came, which is handed out byte by byte.
    content    text NOT NULL,
    -- The uploads that the content names.
    pictures   uuid[] NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (user_id, key)
);
CREATE INDEX drafts_of_user ON drafts (user_id, id);
CREATE INDEX drafts_pictures ON drafts USING gin (pictures);

-- The other version where two devices changed one draft.
CREATE TABLE draft_conflicts (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    key        text NOT NULL,
    content    text NOT NULL,
    pictures   uuid[] NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX draft_conflicts_of_draft ON draft_conflicts (user_id, key, id);
CREATE INDEX draft_conflicts_pictures ON draft_conflicts USING gin (pictures);

-- One row a published draft. It outlives its draft, and keeps its slug while it is not shown.
CREATE TABLE publications (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    key        text NOT NULL,
    slug       text NOT NULL CONSTRAINT publications_slug UNIQUE,
    is_public  boolean NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (user_id, key)
);
CREATE INDEX publications_public ON publications (id) WHERE is_public;

CREATE TABLE publication_versions (
    publication_id uuid NOT NULL REFERENCES publications (id) ON DELETE CASCADE,
    version        integer NOT NULL CHECK (version > 0),
    -- Its ETag: a slug may have another owner after an account was closed.
    tag            uuid NOT NULL,
    content        text NOT NULL,
    pictures       uuid[] NOT NULL,
    published_at   timestamptz NOT NULL,
    PRIMARY KEY (publication_id, version)
);
CREATE INDEX publication_versions_pictures ON publication_versions USING gin (pictures);
