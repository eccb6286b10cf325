-- A page of a tenant's decisions that approve nothing, newest first. An id begins with the moment of its
-- decision: $2 <= id < $3 is the page's place in time, and $4 <= decided_at < $5 lets the planner
-- skip partitions.
-- $6 the outcome; $7 how many.
SELECT record
FROM decisions
WHERE tenant = $1
  AND decision_id >= $2 AND decision_id < $3
  AND decided_at >= $4 AND decided_at < $5
  -- what the index decisions_outcome is for
  AND outcome <> 'approve' AND outcome = $6
ORDER BY decision_id DESC
LIMIT $7
