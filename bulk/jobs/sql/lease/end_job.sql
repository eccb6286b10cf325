-- The job has ended, in the state $3; its files are kept for another $6 seconds.
UPDATE jobs SET
    state = $3, summary = $4, problem = $5, finished_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => $6),
    match = coalesce($7, match), lease_owner = NULL, lease_until = NULL, rows_per_s = NULL
WHERE job_id = $1 AND lease_owner = $2
RETURNING job_id
