-- A unit of work is done; rows with a result are counted, once.
WITH held AS (
    SELECT job_id FROM jobs WHERE job_id = $1 AND lease_owner = $2 FOR UPDATE
), done AS (
    UPDATE job_parts SET state = 'done', done_at = clock_timestamp()
    FROM held
    WHERE job_parts.job_id = held.job_id AND phase = $3 AND part = $4 AND state = 'open'
    RETURNING job_parts.job_id, phase, rows
), counted AS (
    UPDATE jobs SET rows_done = rows_done + done.rows
    FROM done
    WHERE jobs.job_id = done.job_id AND done.phase = 'scoring'
)
SELECT job_id FROM held
