-- Bulk scoring. A runner holds a job by a lease; when the lease ends, another one continues.
CREATE TABLE jobs (
    job_id       uuid        PRIMARY KEY,
    tenant       text        NOT NULL,
    file_name    text        NOT NULL,
    source       text        NOT NULL,
    storage      text        NOT NULL,   -- identity of the store that holds the job's files
    state        text        NOT NULL CHECK (state IN (
                     'waiting', 'queued', 'reading', 'scoring', 'finishing',
                     'done', 'refused', 'failed', 'cancelled')),
    options      jsonb       NOT NULL,
    match        jsonb,
    bytes        bigint      NOT NULL,
    rows_total   bigint,
    rows_done    bigint      NOT NULL DEFAULT 0,
    rows_failed  bigint      NOT NULL DEFAULT 0,
    rows_per_s   float8,
    summary      jsonb       NOT NULL DEFAULT '{}',
    problem      jsonb       NOT NULL DEFAULT '{}',
    attempts     integer     NOT NULL DEFAULT 0,
    cancel       boolean     NOT NULL DEFAULT false,
    author       text        NOT NULL DEFAULT '',  -- id of the key
    has_files    boolean     NOT NULL DEFAULT true,  -- false once they are removed
    is_trimmed   boolean     NOT NULL DEFAULT false,  -- of its files, what a caller fetches is left
    lease_owner  text,                     -- one value for each time that a runner takes the job
    lease_until  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at   timestamptz,
    finished_at  timestamptz,
    expires_at   timestamptz NOT NULL
);

CREATE INDEX jobs_of_tenant ON jobs (tenant, job_id DESC);  -- ids rise with time
CREATE INDEX jobs_to_run ON jobs (created_at)
    WHERE state IN ('queued', 'reading', 'scoring', 'finishing');
CREATE INDEX jobs_to_remove ON jobs (expires_at);
CREATE INDEX jobs_to_clear ON jobs (finished_at)
    WHERE has_files AND state IN ('refused', 'cancelled');
CREATE INDEX jobs_to_trim ON jobs (finished_at)
    WHERE NOT is_trimmed AND state IN ('done', 'failed');

-- Units of work of a job. The row of a unit that is done stays, so that a runner that continues the
-- job knows what is left. An attempt is counted when it begins, so that a unit that kills its runner
-- is not tried for ever.
CREATE TABLE job_parts (
    job_id    uuid        NOT NULL REFERENCES jobs ON DELETE CASCADE,
    phase     text        NOT NULL CHECK (phase IN (
                  'reading', 'checking', 'replay', 'scoring', 'finishing')),
    part      integer     NOT NULL,              -- 0 where a phase is one unit
    rows      bigint      NOT NULL,
    state     text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    attempts  integer     NOT NULL DEFAULT 0,
    done_at   timestamptz,
    PRIMARY KEY (job_id, phase, part)
);

-- A new scope: who may score files. No key has it until it is given.
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_scopes,
    ADD CONSTRAINT api_keys_scopes CHECK (
        array_ndims(scopes) IS NOT DISTINCT FROM 1
        AND scopes <@ '{decide,read,label,plans,jobs,admin}'::text[]
    );
