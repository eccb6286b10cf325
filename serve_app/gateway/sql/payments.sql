-- When some payments ($2) happened; of payments that share an id, the first.
-- tenant || '': forces the index by transaction id alone (migration 0007).
SELECT transaction_id, (extract(epoch FROM min(occurred_at)) * 1000)::bigint AS occurred_ms
FROM transactions
WHERE tenant || '' = $1 AND transaction_id = ANY($2::text[])
GROUP BY transaction_id
