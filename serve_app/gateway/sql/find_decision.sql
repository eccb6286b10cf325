-- One decision of a tenant. The bounds on decided_at, taken from the id, let the planner skip
-- every partition but one.
SELECT record
FROM decisions
WHERE tenant = $1 AND decision_id = $2 AND decided_at >= $3 AND decided_at <= $4
