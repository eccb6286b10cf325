-- The active plan.
SELECT document
FROM plans
WHERE active
