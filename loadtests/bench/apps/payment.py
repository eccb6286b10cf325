"""Requests: pydantic models for FastAPI, with Quorum's own rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from fraud.payment.batch import TransactionBatch
from fraud.payment.currency import EXPONENT, to_minor
from fraud.payment.limits import (
    MAX_CATEGORY_CHARS,
    MAX_IP_CHARS,
    Problem,
    amount_problem,
    country_problem,
    currency_problem,
    ip_problem,
    text_problem,
)
from fraud.payment.transaction import CHANNELS, TYPES

MAX_BATCH_ROWS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FUTURE, _PAST = timedelta(minutes=5), timedelta(days=3650)


def _rule(problem: Callable[[str], Problem | None]) -> AfterValidator:
    def checked(value: str) -> str:
        found = problem(value)
        if found is not None:
            raise ValueError(found.detail)
        return value

    return AfterValidator(checked)


Id = Annotated[str, _rule(text_problem)]
Kind = Literal["payment", "purchase", "transfer", "cash_in", "cash_out", "debit", "refund"]
Channel = Literal["online", "pos", "atm", "mobile", "branch", "phone", "mail", "api"]
assert set(get_args(Kind)) == set(TYPES)
assert set(get_args(Channel)) == set(CHANNELS)


class Payment(BaseModel):
    """A payment to decide on."""

    model_config = ConfigDict(extra="forbid")

    transaction_id: Id
    customer_id: Id
    timestamp: AwareDatetime
    amount: Decimal
    currency: Annotated[str, _rule(currency_problem)]
    type: Kind
    merchant_id: Id | None = None
    merchant_category: Annotated[str, Field(max_length=MAX_CATEGORY_CHARS)] | None = None
    counterparty_id: Id | None = None
    device_id: Id | None = None
    ip_address: Annotated[str, Field(max_length=MAX_IP_CHARS), _rule(ip_problem)] | None = None
    country: Annotated[str, _rule(country_problem)] | None = None
    channel: Channel | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None

    @model_validator(mode="after")
    def _sound(self) -> Payment:
        now = datetime.now(UTC)
        if not now - _PAST <= self.timestamp <= now + _FUTURE:
            raise ValueError("timestamp: too far from now")
        exponent = self.amount.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent > EXPONENT[self.currency]:
            raise ValueError("amount: more decimals than the currency has")
        found = amount_problem(self.amount_minor, self.currency)
        if found is not None:
            raise ValueError(f"amount: {found.detail}")
        return self

    @property
    def amount_minor(self) -> int:
        """The amount in minor units of its currency."""
        return to_minor(self.amount, self.currency)


class Payments(BaseModel):
    """A batch request."""

    model_config = ConfigDict(extra="forbid")

    transactions: Annotated[list[Payment], Field(min_length=1, max_length=MAX_BATCH_ROWS)]


def to_batch(payments: Sequence[Payment], tenant: str) -> TransactionBatch:
    """Return the payments as columns."""
    return TransactionBatch(
        tenant=[tenant] * len(payments),
        transaction_id=[p.transaction_id for p in payments],
        customer_id=[p.customer_id for p in payments],
        timestamp_ms=[(p.timestamp - _EPOCH) // _MILLISECOND for p in payments],
        amount_minor=[p.amount_minor for p in payments],
        currency=[p.currency for p in payments],
        type=[p.type for p in payments],
        merchant_id=[p.merchant_id for p in payments],
        merchant_category=[p.merchant_category for p in payments],
        counterparty_id=[p.counterparty_id for p in payments],
        device_id=[p.device_id for p in payments],
        ip_address=[p.ip_address for p in payments],
        country=[p.country for p in payments],
        channel=[p.channel for p in payments],
        latitude=[p.latitude for p in payments],
        longitude=[p.longitude for p in payments],
    )
