-- What a unit of work left is not at hand: it is done again, with attempts of its own.
WITH held AS (
    SELECT job_id FROM jobs WHERE job_id = $1 AND lease_owner = $2 FOR UPDATE
), reopened AS (
    UPDATE job_parts SET state = 'open', attempts = 0, done_at = NULL
    FROM held
    WHERE job_parts.job_id = held.job_id AND phase = $3 AND part = $4 AND state = 'done'
    RETURNING job_parts.job_id, phase, rows
), counted AS (
    UPDATE jobs SET rows_done = rows_done - reopened.rows
    FROM reopened
    WHERE jobs.job_id = reopened.job_id AND reopened.phase = 'scoring'
)
SELECT job_id FROM held
