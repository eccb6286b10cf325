"""Card payments in shops: stolen and copied cards.

Copied cards are used with the magnetic stripe, far from the last payment, in shops that sell what
can be sold on. Stolen cards are used without a PIN, often, and soon after each other.
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
    is_night,
)

_SHOPS = {
    "5411": 30.0, "5812": 18.0, "5541": 12.0, "5912": 7.0, "5651": 7.0, "5732": 4.0, "5944": 1.5,
    "4829": 1.0, "7995": 1.5, "5311": 8.0, "4111": 6.0, "7011": 4.0,
}  # fmt: skip
_USUAL = {
    "5411": 38.0, "5812": 27.0, "5541": 44.0, "5912": 21.0, "5651": 62.0, "5732": 140.0,
    "5944": 310.0, "4829": 180.0, "7995": 60.0, "5311": 55.0, "4111": 9.0, "7011": 160.0,
}  # fmt: skip
_SOLD_ON = np.array(["5732", "5944", "4829"], dtype=object)
_ENTRY = {"chip": 46.0, "contactless": 44.0, "magstripe": 6.0, "manual": 4.0}
_VERIFIED = {"pin": 48.0, "none": 42.0, "signature": 10.0}
_TERMINAL = {"attended": 80.0, "self_service": 14.0, "mobile_pos": 6.0}


def draw(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    """Draw payments in shops."""
    n = at_s.size
    mcc = chosen(rng, n, _SHOPS)
    usual = np.array([_USUAL[code] for code in mcc])
    surprise = rng.normal(0, 0.75, n)
    amount = np.round(usual * habits[0] * np.exp(surprise), 2) + 0.01
    entry = chosen(rng, n, _ENTRY)
    verified = np.where(
        entry == "contactless", chosen(rng, n, {"none": 85.0, "pin": 15.0}),
        chosen(rng, n, _VERIFIED),
    )  # fmt: skip
    # Who pays often pays near the last place, with a card that has been in use for long.
    use = rng.normal(0, 1, n)
    near = rng.exponential(9.0 * habits[1], n) * np.exp(-0.6 * use)
    distance = near + np.where(rng.random(n) < 0.06, rng.lognormal(5.2, 1.0, n), 0.0)
    count = rng.poisson(1.2 * habits[2] * np.exp(0.5 * use), n) + np.where(
        rng.random(n) < 0.03, rng.integers(3, 12, n), 0
    )
    age = np.minimum(rng.gamma(1.6, 400.0, n) * np.exp(0.3 * use), 3650.0)
    copied = (entry == "magstripe") | (entry == "manual")
    far = np.log1p(distance) / 3
    risk = (
        1.5 * copied
        + 1.7 * copied * np.isin(mcc, _SOLD_ON)
        + 1.4 * far * (0.4 + copied)
        + 0.75 * np.maximum(surprise, 0) * (verified == "none")
        + 0.85 * (verified == "none") * (count >= 4)
        + 0.32 * count
        + 1.0 * is_night(at_s) * np.isin(mcc, _SOLD_ON)
        - 0.9 * (age > 900)
    )
    values = {
        "id": codes("P", 10, rng, n),
        "amount": amount,
        "mcc": mcc,
        "entry": entry,
        "verified": verified,
        "terminal": chosen(rng, n, _TERMINAL),
        "distance": distance,
        "count": count,
        "age": age,
    }
    return Drawn(values, risk)


CARD_PRESENT = Family(
    name="card-present",
    about="card payments in shops: copied and stolen cards",
    domain="payments",
    fields=(
        Field("id", IDENTIFIER, "transaction_id", "id_transaction", "tx_id"),
        Field("time", TIME, "transaction_time", "date_heure", "ts"),
        Field("amount", AMOUNT, "amount", "montant", "amt"),
        Field("mcc", CATEGORY, "merchant_category_code", "code_mcc", "mcc"),
        Field("entry", CATEGORY, "entry_mode", "mode_saisie", "ent_md"),
        Field("verified", CATEGORY, "cardholder_verification", "verification_porteur", "cvm"),
        Field("terminal", CATEGORY, "terminal_type", "type_terminal", "term_tp"),
        Field("distance", NUMBER, "distance_from_last_km", "distance_precedent_km", "dist_km"),
        Field("count", NUMBER, "payments_last_24h", "nb_paiements_24h", "cnt_24h", decimals=0),
        Field("age", NUMBER, "card_age_days", "anciennete_carte_jours", "card_age", decimals=0,
              missing=0.02),
    ),
    label=("is_fraud", "fraude", "fraud_flag"),
    rate=0.012,
    draw=draw,
    sharpness=1.2,
)  # fmt: skip
