SELECT
-- include bulk/jobs/sql/columns.sql
FROM jobs
WHERE tenant = $1 AND job_id = $2
