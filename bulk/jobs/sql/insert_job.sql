-- A new job, unless $12 jobs of its tenant have not ended.
INSERT INTO jobs (job_id, tenant, file_name, source, storage, state, options, match, bytes, author,
                  expires_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp() + make_interval(secs => $11)
WHERE (SELECT count(*) FROM jobs
       WHERE tenant = $2 AND state IN ('waiting', 'queued', 'reading', 'scoring', 'finishing')) < $12
RETURNING
-- include bulk/jobs/sql/columns.sql
