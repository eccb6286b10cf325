INSERT INTO transactions (
    tenant, transaction_id, occurred_at, customer_id, amount_minor, currency, type, merchant_id,
    merchant_category, counterparty_id, device_id, ip_address, country, channel, latitude,
    longitude, amount_hundredths
)
SELECT
    $1, transaction_id, occurred_at, customer_id, amount_minor, currency, type, merchant_id,
    merchant_category, counterparty_id, device_id, ip_address, country, channel, latitude,
    longitude, amount_hundredths
FROM load_staging
WHERE is_new
ON CONFLICT DO NOTHING;
