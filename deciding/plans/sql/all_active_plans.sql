-- The active plan of every owner that has one.
SELECT owner, name, version, document ->> 'kind' AS kind, active, author, reason, created_at,
       document
FROM plans
WHERE active
ORDER BY owner
