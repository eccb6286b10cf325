UPDATE jobs SET
    lease_until = clock_timestamp() + make_interval(secs => $3),
    rows_per_s = $4
WHERE job_id = $1 AND lease_owner = $2
RETURNING cancel
