-- What the handlers did, as they saw it.
CREATE TABLE workshop_log (
    line   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL,
    label  text NOT NULL,
    number integer NOT NULL,
    worker uuid NOT NULL,
    what   text NOT NULL
);
