-- Whether a label took effect after the last one that was learnt ($1, $2) and by $3.
SELECT EXISTS (
    SELECT FROM labels
    WHERE (effective_at, label_id) > ($1, $2) AND effective_at <= least($3, clock_timestamp())
)
