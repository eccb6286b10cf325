UPDATE jobs SET match = $3
WHERE job_id = $1 AND lease_owner = $2
RETURNING job_id
