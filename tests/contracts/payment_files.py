"""A small CSV file of payments and its layout."""

from __future__ import annotations

HEADER = "transaction_id,customer_id,timestamp,amount,currency,type,merchant_id,is_fraud,known\n"


LAYOUT = """
name = "mine"
[columns]
transaction_id = "transaction_id"
customer_id = "customer_id"
timestamp = "timestamp"
amount = "amount"
currency = "currency"
type = "type"
merchant_id = "merchant_id"
[label]
column = "is_fraud"
known_at = "known"
"""


ROWS = (
    "c,k1,2026-01-05T11:00:00Z,10.00,EUR,purchase,m1,1,2026-01-06T00:00:00Z\n"
    "b,k2,2026-01-05T10:00:00Z,12.50,JPY,transfer,,0,2026-01-05T12:00:00Z\n"
    "a,k1,2026-01-05T11:00:00Z,3.20,KWD,purchase,m1,,\n"
    "c,k1,2026-01-05T11:00:00Z,10.00,EUR,purchase,m1,1,2026-01-06T00:00:00Z\n"
    "d,k1,2026-01-05T12:00:00Z,-1,EUR,purchase,m1,1,2026-01-06T00:00:00Z\n"
    "c,k1,2026-01-05T13:00:00Z,11.00,EUR,purchase,m2,1,2026-01-07T00:00:00Z\n"
)
