-- The active plan of the owner $1. There is at most one: the index plans_active is unique.
SELECT owner, name, version, document ->> 'kind' AS kind, active, author, reason, created_at,
       document
FROM plans
WHERE owner = $1 AND active
