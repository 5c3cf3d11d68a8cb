-- What the control center looks at: who did what, and which processes are alive. New tables lock nothing.

-- What admins did, a row a deed, written in the transaction of the deed and kept.
CREATE TABLE audit_log (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    admin_id   uuid NOT NULL,
    -- As it was then.
    admin_name text NOT NULL,
    -- `mitra.update`
    action     text NOT NULL,
    -- `mitra:<id>`, `config:packages`
    subject    text NOT NULL,
    before     jsonb,
    after      jsonb,
    request_id text
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_action ON audit_log (action, id);
CREATE INDEX audit_log_admin ON audit_log (admin_id, id);

-- One row a process, whatever it does. Workers sign in worker_heartbeats as well: that is where replicas of
-- before look for one.
CREATE TABLE replicas (
    id         uuid PRIMARY KEY,
    role       text NOT NULL CHECK (role IN ('all', 'api', 'worker')),
    version    text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);
