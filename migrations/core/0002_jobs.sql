-- Durable work of every module: one row a job, from its enqueueing to some time after its end.
CREATE TABLE jobs (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL,
    -- As it was written; never searched.
    payload     json NOT NULL,
    -- What it is the only one of, among the rows of its kind that hold their key.
    key         text,
    holds_key   boolean NOT NULL,
    -- running: somebody has it until due_at. late: not done by its deadline, and that is all right.
    state       text NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'running', 'done', 'late', 'dead')),
    -- Attempts that count against the policy's limit.
    attempts    integer NOT NULL DEFAULT 0,
    -- How often it was taken: who writes its end must have taken it last.
    taken       integer NOT NULL DEFAULT 0,
    enqueued_at timestamptz NOT NULL,
    -- From when somebody may take it: its time, the next attempt, or the end of a lease.
    due_at      timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- When a finished row may go.
    keep_until  timestamptz,
    last_error  text,
    CHECK ((state IN ('waiting', 'running')) = (finished_at IS NULL)),
    CHECK ((finished_at IS NULL) = (keep_until IS NULL))
);
CREATE INDEX jobs_due ON jobs (kind, due_at) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX jobs_key ON jobs (kind, key) WHERE holds_key;
CREATE INDEX jobs_keep_until ON jobs (keep_until) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_dead ON jobs (finished_at, id) WHERE state = 'dead';
-- Every row is written three times and soon forgotten: by the defaults the dead versions of a burst
-- would slow the next one down.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
