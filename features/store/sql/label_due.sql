-- Whether a label took effect after the last one that was learnt ($1, $2) and by $3. Of labels to
-- come there may be many: the first one tells.
SELECT coalesce(
    (
        SELECT effective_at FROM labels
        WHERE (effective_at, label_id) > ($1, $2)
        ORDER BY effective_at, label_id
        LIMIT 1
    ) <= least($3, clock_timestamp()),
    false
)
