-- The newest $3 plans of the owners $1, those that decide first; $2 a name, NULL for all names.
SELECT owner, name, version, document ->> 'kind' AS kind, active, author, reason, created_at,
       NULL::jsonb AS document
FROM plans
WHERE owner = ANY($1::text[]) AND ($2::text IS NULL OR name = $2)
ORDER BY active DESC, created_at DESC, owner DESC, name, version DESC
LIMIT $3
