-- When tenant $1's newest payment with a label happened, milliseconds since 1970.
SELECT floor(extract(epoch FROM max(t.occurred_at)) * 1000)::bigint
FROM transactions AS t
WHERE t.tenant = $1
  AND EXISTS (
      SELECT FROM labels AS l
      WHERE l.tenant = t.tenant AND l.transaction_id = t.transaction_id
  );
