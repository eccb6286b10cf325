-- The active plan. There is at most one: the index plans_active is unique.
SELECT document, name, version, document ->> 'kind' AS kind, created_at
FROM plans
WHERE active
