-- When the first and the last of the labels that label_feed.sql returns for the same $1 to $4 became
-- known; null without labels.
SELECT min(due.known_at) AS first, max(due.known_at) AS last
FROM (
    SELECT known_at
    FROM labels
    WHERE (effective_at, label_id) > ($1, $2) AND effective_at <= $3
    ORDER BY effective_at, label_id
    LIMIT $4
) AS due
