-- The plan that decides.
SELECT document
FROM plans
WHERE active
