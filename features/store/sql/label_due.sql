-- Whether a label took effect after the last learnt one ($1, $2) and by $3. There may be many future
-- labels: only the first one is looked at.
SELECT coalesce(
    (
        SELECT effective_at FROM labels
        WHERE (effective_at, label_id) > ($1, $2)
        ORDER BY effective_at, label_id
        LIMIT 1
    ) <= least($3, clock_timestamp()),
    false
)
