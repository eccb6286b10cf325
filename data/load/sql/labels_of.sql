-- The labels from source $3 of tenant $1's payments under some ids ($2).
-- tenant || '' makes the planner use the index that begins with the id (migration 0007).
SELECT l.transaction_id, l.known_at, l.is_fraud
FROM unnest($2::text[]) AS x (id)
JOIN labels AS l ON l.transaction_id = x.id AND l.tenant || '' = $1
WHERE l.source = $3;
