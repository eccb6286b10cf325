-- How long tenant $1's newest 10,000 labels of fraud took to be known, in milliseconds: the median,
-- and the time within which nine of ten were known. tenant || '': by the id alone (migration 0007).
SELECT
    percentile_disc(0.5) WITHIN GROUP (ORDER BY delay.ms) AS median_ms,
    percentile_disc(0.9) WITHIN GROUP (ORDER BY delay.ms) AS usual_ms,
    count(*) AS frauds
FROM (
    SELECT (extract(epoch FROM n.known_at - t.occurred_at) * 1000)::bigint AS ms
    FROM (
        SELECT l.transaction_id, l.known_at
        FROM labels AS l
        WHERE l.tenant = $1 AND l.is_fraud AND l.known_at <= $2
        ORDER BY l.known_at DESC
        LIMIT 10000
    ) AS n
    CROSS JOIN LATERAL (
        SELECT p.occurred_at
        FROM transactions AS p
        WHERE p.tenant || '' = $1 AND p.transaction_id = n.transaction_id
        LIMIT 1
    ) AS t
) AS delay;
