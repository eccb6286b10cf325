"""One payment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment.

    Attributes:
        transaction_id: the caller's id, unique within a tenant, 1-64 characters.
        customer_id: the payer.
        timestamp_ms: when it happened, milliseconds since 1970-01-01T00:00:00Z.
        amount_minor: amount in minor units of `currency` (cents for USD, yen for JPY), > 0.
        currency: ISO 4217 code.
        type: kind of payment, one of `TYPES`.
        merchant_id, merchant_category, counterparty_id, device_id, ip_address: None if unknown.
        country: ISO 3166-1 alpha-2 code of where it happened.
        channel: how it was made, one of `CHANNELS`.
        latitude, longitude: degrees, WGS 84; None if unknown.
        metadata: the caller's own notes (`fraud.payment.metadata`), None if there are none. Stored
            with the decision, never a feature.
    """

    transaction_id: str
    customer_id: str
    timestamp_ms: int
    amount_minor: int
    currency: str
    type: str
    merchant_id: str | None = None
    merchant_category: str | None = None
    counterparty_id: str | None = None
    device_id: str | None = None
    ip_address: str | None = None
    country: str | None = None
    channel: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    metadata: dict[str, str] | None = None


TYPES = ("payment", "purchase", "transfer", "cash_in", "cash_out", "debit", "refund")
"""Kinds of payment. Models see the index as a code: append only."""

CHANNELS = ("online", "pos", "atm", "mobile", "branch", "phone", "mail", "api")
"""How a payment was made. Models see the index as a code: append only."""
