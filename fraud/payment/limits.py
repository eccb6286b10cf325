"""Limits and domain rules of a transaction.

API, loader and generator share them, so they accept the same rows. Texts never quote the value,
because clients see them.
"""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Final, NamedTuple

from fraud.payment.currency import EXPONENT, UNTIL_MS, hundredths
from fraud.payment.transaction import CHANNELS, TYPES, Transaction

MAX_ID_CHARS: Final = 64
"""Longest transaction, customer, merchant, counterparty or device id, in code points."""

MAX_CATEGORY_CHARS: Final = 64
MAX_IP_CHARS: Final = 45

MAX_AMOUNT_HUNDREDTHS: Final = 10**12
"""Largest amount: ten billion currency units. Windows sum hundredths in doubles (exact to 2**53):
9,000 payments of the largest amount still sum exactly."""

MIN_TIMESTAMP_MS: Final = 315_532_800_000
"""1980-01-01T00:00:00Z. Earlier times are a wrong unit, such as seconds read as milliseconds."""

MAX_TIMESTAMP_MS: Final = 4_102_444_800_000
"""2100-01-01T00:00:00Z, exclusive."""

TYPE_SET: Final = frozenset(TYPES)
CHANNEL_SET: Final = frozenset(CHANNELS)
CURRENCIES: Final = frozenset(EXPONENT)
"""Currencies past and current; see `withdrawn_problem`."""

_COUNTRY_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA
    ZM ZW
"""
COUNTRIES: Final = frozenset(_COUNTRY_CODES.split())
"""ISO 3166-1 alpha-2 codes, and XK, which card networks use for Kosovo."""

# PostgreSQL's text cannot hold NUL, UTF-8 cannot hold a surrogate, and a log line should not hold
# the rest. One search over the text is cheap enough for a million rows.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Problem(NamedTuple):
    """Why a value is refused: a stable code for machines, and a text without the value."""

    code: str
    detail: str


def text_problem(value: str, max_chars: int = MAX_ID_CHARS) -> Problem | None:
    """Return what is wrong with an id or a category, None if nothing is."""
    if not value or value.isspace():
        return Problem("empty", "must not be empty")
    if len(value) > max_chars:
        return Problem("too_long", f"must have at most {max_chars} characters")
    if _UNPRINTABLE.search(value):
        return Problem("unprintable", "must not contain control characters or lone surrogates")
    return None


TENANT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""Names of tenants. Keys in Redis are `<tenant>:<id>`, and an id may hold a colon; if names could
too, keys of two tenants could be the same."""


def tenant_problem(value: str) -> Problem | None:
    """Return what is wrong with the name of a tenant, None if nothing is."""
    if re.fullmatch(TENANT_PATTERN, value):
        return None
    return Problem("bad_tenant", "must be up to 64 letters, digits, dots, dashes or underscores")


def amount_problem(amount_minor: int, currency: str) -> Problem | None:
    """Return what is wrong with an amount in minor units of a known currency, or None."""
    if amount_minor <= 0:
        return Problem("not_positive", "must be greater than zero")
    if hundredths(amount_minor, currency) > MAX_AMOUNT_HUNDREDTHS:
        return Problem("too_large", "must be at most 10,000,000,000")
    return None


def currency_problem(value: str) -> Problem | None:
    """Return what is wrong with a currency code, None if nothing is."""
    return None if value in CURRENCIES else Problem("unknown", "must be an ISO 4217 code")


def withdrawn_problem(currency: str, timestamp_ms: int) -> Problem | None:
    """Return what is wrong with a known currency at the time of a payment, None if nothing is."""
    if timestamp_ms < UNTIL_MS.get(currency, MAX_TIMESTAMP_MS):
        return None
    return Problem("withdrawn", "was no longer a currency at that time")


def country_problem(value: str) -> Problem | None:
    """Return what is wrong with a country code, None if nothing is."""
    return None if value in COUNTRIES else Problem("unknown", "must be an ISO 3166-1 alpha-2 code")


def type_problem(value: str) -> Problem | None:
    """Return what is wrong with a payment type, None if nothing is."""
    return None if value in TYPE_SET else Problem("unknown", f"must be one of {', '.join(TYPES)}")


def channel_problem(value: str) -> Problem | None:
    """Return what is wrong with a channel, None if nothing is."""
    if value in CHANNEL_SET:
        return None
    return Problem("unknown", f"must be one of {', '.join(CHANNELS)}")


def ip_problem(value: str) -> Problem | None:
    """Return what is wrong with an IPv4 or IPv6 address, None if nothing is."""
    try:
        # A scope id has a meaning on one machine only, and may hold any character.
        ok = "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        ok = False
    return None if ok else Problem("malformed", "must be an IPv4 or IPv6 address")


def timestamp_problem(timestamp_ms: int) -> Problem | None:
    """Return what is wrong with a time as such, None if nothing is.

    The API has a narrower rule of its own: how far from now a live payment may lie.
    """
    if MIN_TIMESTAMP_MS <= timestamp_ms < MAX_TIMESTAMP_MS:
        return None
    return Problem("out_of_range", "must lie between the years 1980 and 2100")


def degrees_problem(value: float, limit: float) -> Problem | None:
    """Return what is wrong with a latitude (limit 90) or longitude (limit 180), or None."""
    if math.isfinite(value) and -limit <= value <= limit:
        return None
    return Problem("out_of_range", f"must lie between -{limit:g} and {limit:g}")


def problems(row: Transaction) -> list[tuple[str, Problem]]:
    """Return every broken rule of a typed transaction as (field, problem), [] if there is none."""
    found = [
        ("transaction_id", text_problem(row.transaction_id)),
        ("customer_id", text_problem(row.customer_id)),
        ("timestamp", timestamp_problem(row.timestamp_ms)),
        ("currency", currency_problem(row.currency)),
        ("type", type_problem(row.type)),
    ]
    if row.currency in CURRENCIES:
        found.append(("currency", withdrawn_problem(row.currency, row.timestamp_ms)))
        found.append(("amount", amount_problem(row.amount_minor, row.currency)))
    for field, rule in OPTIONAL_TEXT.items():
        value = getattr(row, field)
        if value is not None:
            found.append((field, rule(value)))
    for field, limit in (("latitude", 90.0), ("longitude", 180.0)):
        degrees = getattr(row, field)
        if degrees is not None:
            found.append((field, degrees_problem(degrees, limit)))
    return [(field, problem) for field, problem in found if problem]


OPTIONAL_TEXT: Final = {
    "merchant_id": text_problem,
    "merchant_category": text_problem,
    "counterparty_id": text_problem,
    "device_id": text_problem,
    "ip_address": ip_problem,
    "country": country_problem,
    "channel": channel_problem,
}
"""Optional field -> the rule for its text."""
