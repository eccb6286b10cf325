-- The file is read: its rows, and its parts in their order.
WITH held AS (
    UPDATE jobs SET state = 'scoring', rows_total = $3, rows_failed = $4, rows_done = 0,
                    rows_per_s = NULL, match = coalesce($6, match)
    WHERE job_id = $1 AND lease_owner = $2
    RETURNING job_id
), added AS (
    INSERT INTO job_parts (job_id, phase, part, rows)
    SELECT job_id, 'scoring', number - 1, rows
    FROM held, unnest($5::bigint[]) WITH ORDINALITY AS parts (rows, number)
    ON CONFLICT DO NOTHING
)
SELECT job_id FROM held
