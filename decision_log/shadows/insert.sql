-- Keep what shadows would have decided. Columns of n values each.
INSERT INTO shadow_decisions (
    tenant, decision_id, decided_at, plan, plan_version, shadow, outcome, probability, votes,
    elapsed_ms
)
SELECT tenant, decision_id, to_timestamp(decided_at_ms / 1000.0), plan, plan_version, shadow,
       outcome, probability, votes::jsonb, elapsed_ms
FROM unnest(
    $1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::int[], $6::text[], $7::text[],
    $8::float8[], $9::text[], $10::real[]
) AS x (
    tenant, decision_id, decided_at_ms, plan, plan_version, shadow, outcome, probability, votes,
    elapsed_ms
)
ON CONFLICT DO NOTHING
