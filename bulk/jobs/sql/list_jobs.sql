-- Jobs of a tenant without their large documents, newest first, from before the job $2 on.
SELECT job_id, tenant, file_name, source, storage, state, options, NULL::jsonb AS match, bytes,
       rows_total, rows_done, rows_failed, rows_per_s, '{}'::jsonb AS summary, problem, attempts,
       cancel, author, has_files, created_at, started_at, finished_at, expires_at
FROM jobs
WHERE tenant = $1 AND ($2::uuid IS NULL OR job_id < $2)
ORDER BY job_id DESC
LIMIT $3
