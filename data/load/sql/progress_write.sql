-- In the transaction of its chunk: both are committed or neither is.
INSERT INTO load_progress AS p (tenant, source, rows_done, rows_bad, finished)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, source) DO UPDATE
SET rows_done = excluded.rows_done,
    rows_bad = excluded.rows_bad,
    finished = excluded.finished,
    updated_at = now();
