-- The plan that decides now.
SELECT document
FROM plans
WHERE active
