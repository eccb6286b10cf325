"""Orders of an online shop: stolen card numbers.

Thieves open an account, use a fresh e-mail address of a free provider, order dear things in one
basket, and have them sent elsewhere.
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

_MAIL = {
    "gmail.com": 42.0, "outlook.com": 18.0, "yahoo.com": 12.0, "icloud.com": 10.0,
    "company": 12.0, "proton.me": 3.0, "mailinator.com": 1.0, "other": 6.0,
}  # fmt: skip
_FRESH = np.array(["proton.me", "mailinator.com", "other"], dtype=object)
_DEVICE = {"ios": 34.0, "android": 30.0, "windows": 26.0, "macos": 8.0, "linux": 2.0}
_PAY = {"card": 60.0, "wallet": 25.0, "saved_card": 12.0, "gift_card": 3.0}
_SHIP = {"home": 70.0, "pickup_point": 20.0, "other_address": 8.0, "freight_forwarder": 2.0}


def draw(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    """Draw orders."""
    n = at_s.size
    items = 1 + rng.poisson(1.6 * habits[0], n)
    price = rng.lognormal(3.4, 0.8, n) * habits[1]
    basket = np.round(price * items**0.7, 2) + 0.5
    mail = chosen(rng, n, _MAIL)
    mail_age = np.minimum(rng.gamma(1.3, 900.0, n), 7000.0)
    mail_age = np.where(rng.random(n) < 0.10, rng.exponential(20.0, n), mail_age)
    account_age = np.minimum(rng.gamma(0.7, 400.0, n) * habits[2], 4000.0)
    orders = rng.poisson(account_age / 160.0)
    ship = chosen(rng, n, _SHIP)
    pay = chosen(rng, n, _PAY)
    ip_risk = rng.beta(1.4, 8.0, n)
    attempts = 1 + rng.poisson(0.12, n) + (rng.random(n) < 0.03) * rng.integers(1, 5, n)
    fresh = np.exp(-mail_age / 60.0)
    elsewhere = np.isin(ship, np.array(["other_address", "freight_forwarder"], dtype=object))
    risk = (
        2.2 * fresh
        + 1.0 * np.isin(mail, _FRESH)
        + 1.3 * elsewhere * (pay == "card")
        + 0.8 * np.log(price / 30.0) * (orders == 0)
        + 0.6 * np.log(price / 30.0)
        + 6.0 * ip_risk
        + 0.7 * (attempts - 1)
        + 0.8 * is_night(at_s) * fresh
        - 0.25 * np.minimum(orders, 8)
        - 1.5 * (pay == "saved_card")
    )
    values = {
        "id": codes("ORD-", 9, rng, n),
        "basket": basket,
        "items": items,
        "mail": mail,
        "mail_age": mail_age,
        "account_age": account_age,
        "orders": orders,
        "device": chosen(rng, n, _DEVICE),
        "pay": pay,
        "ship": ship,
        "ip_risk": ip_risk,
        "attempts": attempts,
    }
    return Drawn(values, risk)


ONLINE_SHOP = Family(
    name="online-shop",
    about="orders of an online shop: stolen card numbers",
    domain="payments",
    fields=(
        Field("id", IDENTIFIER, "order_id", "no_commande", "ord_id"),
        Field("time", TIME, "ordered_at", "date_commande", "ord_ts"),
        Field("basket", AMOUNT, "basket_amount", "montant_panier", "bskt_amt"),
        Field("items", NUMBER, "item_count", "nb_articles", "n_items", decimals=0),
        Field("mail", CATEGORY, "email_domain", "domaine_courriel", "mail_dom"),
        Field("mail_age", NUMBER, "email_age_days", "age_courriel_jours", "mail_age", decimals=0,
              missing=0.04),
        Field("account_age", NUMBER, "account_age_days", "age_compte_jours", "acct_age",
              decimals=1),
        Field("orders", NUMBER, "previous_orders", "commandes_precedentes", "prev_ord",
              decimals=0),
        Field("device", CATEGORY, "device_os", "systeme_appareil", "dev_os"),
        Field("pay", CATEGORY, "payment_method", "moyen_paiement", "pay_mtd"),
        Field("ship", CATEGORY, "shipping_type", "type_livraison", "ship_tp"),
        Field("ip_risk", NUMBER, "ip_risk_score", "score_risque_ip", "ip_rsk", decimals=4),
        Field("attempts", NUMBER, "payment_attempts", "tentatives_paiement", "n_att", decimals=0),
    ),
    label=("fraud", "est_fraude", "is_frd"),
    rate=0.02,
    draw=draw,
    sharpness=1.6,
)  # fmt: skip
