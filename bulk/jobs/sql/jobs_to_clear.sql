-- Jobs of a store whose files are to be removed, and whether the jobs themselves are.
SELECT job_id, expires_at <= clock_timestamp() AS expired
FROM jobs
WHERE storage = $1 AND (
    (has_files AND state IN ('refused', 'cancelled'))
    OR (expires_at <= clock_timestamp()
        AND state IN ('waiting', 'done', 'refused', 'failed', 'cancelled'))
)
LIMIT $2
