SELECT count(*) FROM jobs
WHERE tenant = $1 AND state IN ('waiting', 'queued', 'reading', 'scoring', 'finishing')
