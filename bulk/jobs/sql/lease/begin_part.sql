-- Count an attempt at a unit of work, which is added if it is new.
WITH held AS (
    SELECT job_id FROM jobs WHERE job_id = $1 AND lease_owner = $2 FOR UPDATE
)
INSERT INTO job_parts AS unit (job_id, phase, part, rows, attempts)
SELECT job_id, $3, $4, $5, 1 FROM held
ON CONFLICT (job_id, phase, part) DO UPDATE SET attempts = unit.attempts + 1
RETURNING attempts
