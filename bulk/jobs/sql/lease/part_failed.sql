WITH held AS (
    SELECT job_id FROM jobs WHERE job_id = $1 AND lease_owner = $2 FOR UPDATE
), failed AS (
    UPDATE job_parts SET state = 'failed'
    FROM held
    WHERE job_parts.job_id = held.job_id AND phase = $3 AND part = $4 AND state = 'open'
)
SELECT job_id FROM held
