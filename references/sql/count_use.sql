UPDATE reference_models
SET times_used = times_used + 1, used_at = clock_timestamp()
WHERE (owner, digest) IN (SELECT * FROM unnest($1::text[], $2::text[]));
