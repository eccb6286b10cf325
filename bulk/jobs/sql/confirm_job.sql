UPDATE jobs SET state = 'queued', options = $3, match = $4
WHERE tenant = $1 AND job_id = $2 AND state = 'waiting' AND NOT cancel
  AND expires_at > clock_timestamp()
RETURNING
-- include bulk/jobs/sql/columns.sql
