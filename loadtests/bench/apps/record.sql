-- A batch of decisions and their payments, one array a column.
WITH fresh AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
        $15::float8[], $16::float8[], $17::bigint[],
        $18::uuid[], $19::bigint[], $20::text[], $21::float8[], $22::float8[], $23::text[],
        $24::integer[], $25::text[], $26::bytea[], $27::text[]
    ) AS r(
        tenant, transaction_id, customer_id, occurred_ms, amount_minor, currency, type,
        merchant_id, merchant_category, counterparty_id, device_id, ip_address, country, channel,
        latitude, longitude, amount_hundredths,
        decision_id, decided_ms, outcome, probability, anomaly_score, plan,
        plan_version, schema_id, features, record
    )
), payments AS (
    INSERT INTO transactions (
        tenant, transaction_id, occurred_at, customer_id, amount_minor, currency, type,
        merchant_id, merchant_category, counterparty_id, device_id, ip_address, country, channel,
        latitude, longitude, amount_hundredths
    )
    SELECT
        tenant, transaction_id, timestamptz 'epoch' + occurred_ms * interval '1 millisecond',
        customer_id, amount_minor, currency, type,
        merchant_id, merchant_category, counterparty_id, device_id, ip_address, country, channel,
        latitude, longitude, amount_hundredths
    FROM fresh
    ON CONFLICT DO NOTHING
)
INSERT INTO decisions (
    tenant, decision_id, decided_at, transaction_id, customer_id, outcome, probability,
    anomaly_score, plan, plan_version, schema_id, features, record
)
SELECT
    tenant, decision_id, timestamptz 'epoch' + decided_ms * interval '1 millisecond',
    transaction_id, customer_id, outcome, probability, anomaly_score, plan, plan_version,
    schema_id, features, record::json
FROM fresh
ON CONFLICT DO NOTHING
