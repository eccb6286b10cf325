-- What source $3 has said of tenant $1's payments under some ids ($2).
-- tenant || '': by the id alone (migration 0007).
SELECT l.transaction_id, l.known_at, l.is_fraud
FROM unnest($2::text[]) AS x (id)
JOIN labels AS l ON l.transaction_id = x.id AND l.tenant || '' = $1
WHERE l.source = $3;
