-- How many decisions tenant $1 got at $2 or later.
SELECT count(*) FROM decisions WHERE tenant = $1 AND decided_at >= $2;
