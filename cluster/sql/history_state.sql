SELECT
    EXISTS (SELECT FROM transactions WHERE tenant = $1) AS has_any,
    EXISTS (SELECT FROM load_progress WHERE tenant = $1 AND NOT finished) AS unfinished
