-- What GET /v1/decisions looks for. Both indexes are partial: most decisions approve, and hardly any
-- reuses an id, so that hardly any insert pays for them.
CREATE INDEX decisions_outcome ON decisions (tenant, outcome, decision_id DESC)
    WHERE outcome <> 'approve';

-- A decision that reuses the id of another customer's payment is not found by its customer's
-- payments (serve_app/sql/search_by_customer.sql).
CREATE INDEX decisions_reused ON decisions (customer_id, tenant, decided_at DESC)
    WHERE degraded @> '{transaction_reused}';
