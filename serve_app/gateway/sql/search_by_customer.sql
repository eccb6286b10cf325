-- A page of a tenant's decisions on one customer, newest first. An id starts with the time of its
-- decision: $2 <= id < $3 is the page's position, and $4 <= decided_at < $5 lets the planner skip
-- partitions.
-- $6 an outcome or NULL; $7 the page size; $8 the customer; $9, $10 bounds on when the payments
-- happened.
--
-- Decisions have no index by customer: every insert would pay for it. Payments have one, and
-- decisions are found by their payment. Decisions that reused the id of a payment have an index of
-- their own, as that payment may be another customer's.
WITH found AS (
    SELECT d.decision_id, d.record
    FROM (
        SELECT DISTINCT transaction_id
        FROM transactions
        WHERE customer_id = $8 AND tenant = $1 AND occurred_at >= $9 AND occurred_at < $10
    ) AS t
    CROSS JOIN LATERAL (
        SELECT decision_id, record
        FROM decisions
        WHERE transaction_id = t.transaction_id AND tenant = $1
          AND decided_at >= $4 AND decided_at < $5
          AND decision_id >= $2 AND decision_id < $3
          AND customer_id = $8
          AND NOT degraded @> '{transaction_reused}'
          AND ($6::text IS NULL OR outcome = $6)
        ORDER BY decided_at DESC
    ) AS d

    UNION ALL

    SELECT decision_id, record
    FROM decisions
    WHERE customer_id = $8 AND tenant = $1
      AND decided_at >= $4 AND decided_at < $5
      AND decision_id >= $2 AND decision_id < $3
      AND degraded @> '{transaction_reused}'
      AND ($6::text IS NULL OR outcome = $6)
)

SELECT record
FROM found
ORDER BY decision_id DESC
LIMIT $7
