-- What a tenant has on record.
SELECT
    (SELECT count(*) FROM transactions WHERE tenant = $1) AS transactions,
    (SELECT count(*) FROM decisions WHERE tenant = $1) AS decisions,
    (SELECT count(*) FROM labels WHERE tenant = $1) AS labels,
    (SELECT count(*) FROM api_keys WHERE tenant = $1 AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now())) AS api_keys
