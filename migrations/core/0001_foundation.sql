-- What core itself keeps: settings, the record of sweeps, signs of life, idempotency keys.

-- Runtime configuration, changed in the control center. Others may read key and value.
CREATE TABLE app_config (
    key        text PRIMARY KEY,
    value      jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by uuid
);

-- One row a sweep: what it did last, wherever it ran.
CREATE TABLE sweep_runs (
    name             text PRIMARY KEY,
    every_seconds    double precision NOT NULL,
    last_run_at      timestamptz,
    last_duration_ms bigint,
    last_result      text,
    next_run_at      timestamptz
);

-- One row a worker process; readiness looks at the newest.
CREATE TABLE worker_heartbeats (
    worker_id  uuid PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL
);

-- Answers given to an Idempotency-Key, for a day. status and body are null only inside the
-- transaction that makes them.
CREATE TABLE idempotency_keys (
    caller_id   uuid NOT NULL,
    route       text NOT NULL,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    status      smallint,
    body        bytea,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (caller_id, route, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
