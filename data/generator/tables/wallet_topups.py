"""Money paid into wallets: stolen cards that are turned into balance.

A ring tests many cards on one phone: several cards linked, failed tries before, round amounts, and
a wallet that is a few hours old. Prepaid cards and emulators are usual.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from data.generator.tables.family import (
    AMOUNT,
    CATEGORY,
    IDENTIFIER,
    NUMBER,
    TIME,
    Drawn,
    Family,
    Field,
    Float64,
    chosen,
    codes,
    hour_of,
)

_SOURCE = {"debit_card": 48.0, "credit_card": 24.0, "bank": 20.0, "prepaid_card": 5.0,
           "voucher": 3.0}  # fmt: skip
_PHONE = {
    "SM-A546B": 16.0, "SM-S911B": 12.0, "iPhone14,5": 18.0, "iPhone15,2": 15.0, "Pixel 7": 8.0,
    "Redmi Note 12": 14.0, "CPH2481": 7.0, "sdk_gphone64": 2.0, "unknown": 4.0,
}  # fmt: skip
_KYC = {"none": 18.0, "light": 52.0, "full": 30.0}


def draw(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    """Draw top-ups."""
    n = at_s.size
    # Heavy users hold their wallet longer, link more cards, and pay in more and more often.
    use = rng.normal(0, 1, n)
    amount = np.exp(3.3 + 0.35 * use + rng.normal(0, 0.6, n)) * habits[0]
    is_round = rng.random(n) < 0.55
    amount = np.maximum(np.where(is_round, np.round(amount / 10) * 10, np.round(amount, 2)), 1.0)
    held = rng.gamma(1.2, 3400.0 * habits[1], n) * np.exp(0.55 * use)
    wallet_age = np.where(rng.random(n) < 0.12, rng.exponential(9.0, n), held)
    ring = rng.random(n) < 0.035
    cards = 1 + rng.poisson(0.4 * np.exp(0.5 * use), n) + ring * rng.integers(1, 7, n)
    failed = rng.poisson(0.13 * habits[2] * cards, n) + ring * rng.integers(0, 6, n)
    hour_count = rng.poisson(0.25 * np.exp(0.5 * use), n) + ring * rng.integers(0, 6, n)
    source, phone, kyc = chosen(rng, n, _SOURCE), chosen(rng, n, _PHONE), chosen(rng, n, _KYC)
    emulated = (phone == "sdk_gphone64") | (phone == "unknown")
    fresh = np.exp(-wallet_age / 48.0)
    risk = (
        1.7 * fresh
        + 0.75 * (cards - 1)
        + 0.55 * failed
        + 0.6 * hour_count * (amount % 10 == 0)
        + 1.5 * emulated * fresh
        + 0.9 * emulated
        + 1.2 * (source == "prepaid_card")
        + 0.8 * (source == "credit_card") * (kyc == "none")
        - 1.4 * (kyc == "full")
        - 1.0 * (source == "bank")
        + 0.5 * np.cos((hour_of(at_s) - 3) * np.pi / 12)
    )
    values = {
        "id": codes("", 12, rng, n),
        "wallet": codes("W", 9, rng, n),
        "amount": amount,
        "source": source,
        "phone": phone,
        "wallet_age": wallet_age,
        "cards": cards,
        "failed": failed,
        "hour_count": hour_count,
        "kyc": kyc,
    }
    return Drawn(values, risk)


WALLET_TOPUPS = Family(
    name="wallet-topups",
    about="money paid into wallets: stolen cards turned into balance",
    domain="payments",
    fields=(
        Field("id", IDENTIFIER, "topup_reference", "reference_rechargement", "tu_ref"),
        Field("time", TIME, "topup_time", "date_rechargement", "tu_ts"),
        Field("wallet", IDENTIFIER, "wallet_id", "id_portefeuille", "wlt"),
        Field("amount", AMOUNT, "topup_amount", "montant_rechargement", "tu_amt"),
        Field("source", CATEGORY, "funding_source", "source_fonds", "fund_src"),
        Field("phone", CATEGORY, "phone_model", "modele_telephone", "ph_mdl"),
        Field("wallet_age", NUMBER, "wallet_age_hours", "age_portefeuille_heures", "wlt_age_h",
              decimals=1),
        Field("cards", NUMBER, "linked_cards", "cartes_liees", "n_cards", decimals=0),
        Field("failed", NUMBER, "failed_tries_24h", "echecs_24h", "fail_24h", decimals=0),
        Field("hour_count", NUMBER, "topups_last_hour", "rechargements_derniere_heure",
              "tu_1h", decimals=0),
        Field("kyc", CATEGORY, "identity_check", "controle_identite", "kyc_lvl"),
    ),
    label=("fraudulent", "frauduleux", "fraud_ind"),
    rate=0.025,
    draw=draw,
    sharpness=1.05,
)  # fmt: skip
