SELECT rows_done, rows_bad, finished
FROM load_progress
WHERE tenant = $1 AND source = $2;
