-- One batch of records, all or none. $1..$28: one array a column, some in the text form of arrays.
-- Milliseconds are exact: a float64 holds them and their microseconds.
WITH kept AS (
    -- In one order for all shippers, so that two with the same payments cannot block each other.
    INSERT INTO transactions (
        tenant, transaction_id, occurred_at, received_at, customer_id, amount_minor, currency, type,
        merchant_id, merchant_category, counterparty_id, device_id, ip_address, country, channel,
        latitude, longitude, amount_hundredths
    )
    SELECT DISTINCT ON (tenant, transaction_id)
        tenant, transaction_id,
        timestamptz 'epoch' + occurred_ms * interval '1 millisecond',
        timestamptz 'epoch' + decided_ms * interval '1 millisecond',
        customer_id, amount_minor, currency, type,
        merchant_id, merchant_category, counterparty_id, device_id, ip_address, country, channel,
        latitude, longitude, amount_hundredths
    -- The arrays are unnested once for each table. To keep the rows for both, with features and
    -- record, costs more.
    FROM unnest(
        $1::text::text[], $2::text[], $3::text[], $4::text::bigint[], $5::text::bigint[],
        $6::text::text[], $7::text::text[], $8::text[], $9::text::text[], $10::text[], $11::text[],
        $12::text[], $13::text::text[], $14::text::text[], $15::float8[], $16::float8[],
        $17::text::bigint[], $19::text::bigint[]
    ) WITH ORDINALITY AS s(
        tenant, transaction_id, customer_id, occurred_ms, amount_minor, currency, type,
        merchant_id, merchant_category, counterparty_id, device_id, ip_address, country, channel,
        latitude, longitude, amount_hundredths, decided_ms, nth
    )
    -- A retry may have another timestamp: the payment stays as it was first recorded, and an id
    -- belongs to the first payment that used it. Row by row, as a join may read whole partitions. The
    -- literals in braces (postgres_sink.py) bound which partitions are planned for. tenant || '': by the id
    -- alone (migration 0007).
    WHERE (
        SELECT true FROM transactions x
        WHERE x.transaction_id = s.transaction_id AND x.tenant || '' = s.tenant
          AND x.occurred_at >= {since} AND x.occurred_at < {until}
        LIMIT 1
    ) IS NULL
    ORDER BY tenant, transaction_id, nth
    ON CONFLICT DO NOTHING
)
INSERT INTO decisions (
    tenant, decision_id, decided_at, transaction_id, customer_id, outcome, probability,
    anomaly_score, plan, plan_version, degraded, schema_id, features, record
)
SELECT
    tenant, decision_id::uuid, timestamptz 'epoch' + decided_ms * interval '1 millisecond',
    transaction_id, customer_id, outcome, probability, anomaly_score, plan, plan_version,
    string_to_array(degraded, E'\x1f'), schema_id, features, record::json
FROM unnest(
    $1::text::text[], $2::text[], $3::text[], $18::text[], $19::text::bigint[],
    $20::text::text[], $21::float8[], $22::float8[], $23::text::text[], $24::text::integer[],
    $25::text::text[], $26::text::text[], $27::bytea[], $28::text[]
) AS s(
    tenant, transaction_id, customer_id, decision_id, decided_ms, outcome, probability,
    anomaly_score, plan, plan_version, degraded, schema_id, features, record
)
