UPDATE jobs SET state = 'finishing', rows_per_s = NULL
WHERE job_id = $1 AND lease_owner = $2
RETURNING job_id
