-- The rows of one chunk. The table ends with the transaction: behind a pooler the next chunk may
-- be on another session.
CREATE TEMPORARY TABLE load_staging (
    transaction_id    text        NOT NULL,
    occurred_at       timestamptz NOT NULL,
    customer_id       text        NOT NULL,
    amount_minor      bigint      NOT NULL,
    currency          text        NOT NULL,
    type              text        NOT NULL,
    merchant_id       text,
    merchant_category text,
    counterparty_id   text,
    device_id         text,
    ip_address        text,
    country           text,
    channel           text,
    latitude          double precision,
    longitude         double precision,
    amount_hundredths bigint      NOT NULL,
    is_fraud          boolean,
    known_at          timestamptz,
    is_new            boolean     NOT NULL
) ON COMMIT DROP;
