"""Every family of labelled tables, by name."""

from __future__ import annotations

from data.generator.tables.account_opening import ACCOUNT_OPENING
from data.generator.tables.card_present import CARD_PRESENT
from data.generator.tables.family import Family
from data.generator.tables.money_transfers import MONEY_TRANSFERS
from data.generator.tables.online_shop import ONLINE_SHOP
from data.generator.tables.other_domains import (
    CHURN,
    CREDIT_DEFAULT,
    GIBBERISH,
    INSURANCE_CLAIMS,
    SENSORS,
)
from data.generator.tables.wallet_topups import WALLET_TOPUPS

PAYMENTS: dict[str, Family] = {
    family.name: family
    for family in (CARD_PRESENT, ONLINE_SHOP, MONEY_TRANSFERS, WALLET_TOPUPS, ACCOUNT_OPENING)
}
"""Families of payments and of what leads to them, each with a fraud of its own."""

OTHER_DOMAINS: dict[str, Family] = {
    family.name: family for family in (INSURANCE_CLAIMS, CREDIT_DEFAULT, CHURN, SENSORS, GIBBERISH)
}
"""Tables that no model of payments fits."""
