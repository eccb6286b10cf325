-- A job that no runner holds ends at once. The others are ended by their runners.
UPDATE jobs SET
    cancel = true,
    state = CASE WHEN held THEN state ELSE 'cancelled' END,
    finished_at = CASE WHEN held THEN NULL ELSE clock_timestamp() END,
    lease_owner = CASE WHEN held THEN lease_owner END,
    rows_per_s = CASE WHEN held THEN rows_per_s END
FROM (
    SELECT job_id AS chosen, lease_owner IS NOT NULL AND lease_until > clock_timestamp() AS held
    FROM jobs
    WHERE tenant = $1 AND job_id = $2
      AND state IN ('waiting', 'queued', 'reading', 'scoring', 'finishing')
    FOR UPDATE
) AS found
WHERE job_id = chosen
RETURNING
-- include bulk/jobs/sql/columns.sql
