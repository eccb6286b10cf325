-- The number of decisions of tenant $1 at $2 or later.
SELECT count(*) FROM decisions WHERE tenant = $1 AND decided_at >= $2;
