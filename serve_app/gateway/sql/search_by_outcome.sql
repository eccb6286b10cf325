-- A page of a tenant's decisions of one outcome other than approve, newest first. An id starts with
-- the time of its decision: $2 <= id < $3 is the page's position, and $4 <= decided_at < $5 lets the
-- planner skip partitions.
-- $6 the outcome; $7 the page size.
SELECT record
FROM decisions
WHERE tenant = $1
  AND decision_id >= $2 AND decision_id < $3
  AND decided_at >= $4 AND decided_at < $5
  -- the predicate of the index decisions_outcome
  AND outcome <> 'approve' AND outcome = $6
ORDER BY decision_id DESC
LIMIT $7
