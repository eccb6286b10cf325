-- The time of tenant $1's newest payment with a label, milliseconds since 1970. See `whole_reads`.
SELECT floor(extract(epoch FROM max(t.occurred_at)) * 1000)::bigint
FROM transactions AS t
WHERE t.tenant = $1
  AND t.transaction_id IN (SELECT l.transaction_id FROM labels AS l WHERE l.tenant = $1);
