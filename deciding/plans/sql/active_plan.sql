-- The plan that decides now. There is at most one: plans_active is unique.
SELECT document
FROM plans
WHERE active
