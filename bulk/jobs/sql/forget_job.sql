DELETE FROM jobs
WHERE job_id = $1 AND expires_at <= clock_timestamp()
  AND state IN ('waiting', 'done', 'refused', 'failed', 'cancelled')
