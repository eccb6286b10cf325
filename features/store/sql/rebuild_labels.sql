,
labelled AS (
    SELECT
        w.n,
        (extract(epoch FROM l.known_at) * 1000)::bigint AS known_ms,
        l.is_fraud::int AS fraud,
        CASE WHEN l.is_fraud THEN t.amount_hundredths ELSE 0 END AS hundredths
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT t.occurred_at
        FROM transactions t
        WHERE t.tenant = w.tenant AND t.{column} = w.id
          AND t.occurred_at >= {{labelled_since}} AND t.occurred_at < {{until}}
        ORDER BY t.occurred_at DESC
        LIMIT 1
    ) last
    JOIN transactions t
      ON t.tenant = w.tenant AND t.{column} = w.id
     AND t.occurred_at > last.occurred_at - $8::interval
     AND t.occurred_at >= {{labelled_since}} AND t.occurred_at < {{until}}
    CROSS JOIN LATERAL (
        SELECT b.known_at, b.is_fraud
        FROM labels b
        WHERE b.tenant || '' = t.tenant AND b.transaction_id = t.transaction_id
          AND (b.effective_at, b.label_id) <= ($5, $6)
          AND b.known_at <= t.occurred_at + $7::interval
        ORDER BY b.known_at DESC, b.label_id DESC
        LIMIT 1
    ) l
)
