-- Jobs of a store with files to remove: what only their runs needed, or all files, or with them the
-- jobs themselves.
SELECT job_id, expires_at <= clock_timestamp() AS expired,
       state IN ('done', 'failed') AND expires_at > clock_timestamp() AS is_kept
FROM jobs
WHERE storage = $1 AND (
    (has_files AND state IN ('refused', 'cancelled'))
    OR (NOT is_trimmed AND state IN ('done', 'failed'))
    OR (expires_at <= clock_timestamp()
        AND state IN ('waiting', 'done', 'refused', 'failed', 'cancelled'))
)
LIMIT $2
