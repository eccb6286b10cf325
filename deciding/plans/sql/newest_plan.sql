-- The newest version of the plan $2 of the owner $1.
SELECT owner, name, version, document ->> 'kind' AS kind, active, author, reason, created_at,
       document
FROM plans
WHERE owner = $1 AND name = $2
ORDER BY version DESC
LIMIT 1
