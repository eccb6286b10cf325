-- What the shadows of plan $2, version $3 (null: all versions), said to payments of tenant $1 that
-- were decided from $4 until $5.
SELECT
    s.decision_id,
    s.shadow,
    s.outcome,
    s.probability,
    s.votes::text AS votes,
    s.elapsed_ms
FROM shadow_decisions AS s
WHERE s.tenant = $1
  AND s.plan = $2
  AND ($3::integer IS NULL OR s.plan_version = $3)
  AND s.decided_at >= $4
  AND s.decided_at < $5;
