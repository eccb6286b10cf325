    job_id, tenant, file_name, source, storage, state, options, match, bytes, rows_total, rows_done,
    rows_failed, rows_per_s, summary, problem, attempts, cancel, author, has_files, created_at,
    started_at, finished_at, expires_at
