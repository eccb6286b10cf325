-- End a lease in order. What was under way is not counted as an attempt.
WITH held AS (
    UPDATE jobs SET lease_owner = NULL, lease_until = NULL, rows_per_s = NULL
    WHERE job_id = $1 AND lease_owner = $2
    RETURNING job_id
)
UPDATE job_parts SET attempts = greatest(0, attempts - 1)
FROM held, unnest($3::text[], $4::integer[]) AS begun (phase, part)
WHERE job_parts.job_id = held.job_id AND job_parts.phase = begun.phase
  AND job_parts.part = begun.part AND job_parts.state = 'open'
