"""Transfers between bank accounts: accounts that were taken over.

The thief empties the account to a payee added just now, from a device that the bank has not seen,
in a session shorter than the owner's. Mules receive it: young accounts with little on them.
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

_CHANNEL = {"mobile_app": 55.0, "web": 33.0, "branch": 7.0, "phone": 5.0}
_KIND = {"instant": 40.0, "standard": 52.0, "international": 8.0}
_DEVICE = {"trusted": 88.0, "known": 8.0, "new": 4.0}


def draw(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    """Draw transfers."""
    n = at_s.size
    balance = rng.lognormal(7.6, 1.2, n) * habits[0]
    share = np.where(rng.random(n) < 0.08, rng.beta(6, 2, n), rng.beta(0.9, 7, n))
    amount = np.maximum(np.round(balance * share, 2), 0.01)
    payee_age = np.where(
        rng.random(n) < 0.14 * habits[1], rng.exponential(0.6, n), rng.gamma(1.5, 300.0, n)
    )
    receiver_balance = rng.lognormal(6.8, 1.6, n)
    receiver_age = np.minimum(rng.gamma(1.4, 700.0, n), 9000.0)
    device = chosen(rng, n, _DEVICE)
    channel = chosen(rng, n, _CHANNEL)
    session = rng.lognormal(4.8, 0.7, n) * habits[2]
    kind = chosen(rng, n, _KIND)
    new_payee = np.exp(-payee_age / 3.0)
    young = np.exp(-receiver_age / 250.0)
    short = np.maximum(0.0, 4.2 - np.log(session / habits[2]))
    risk = (
        2.4 * new_payee * share
        + 1.2 * new_payee
        + 2.6 * share
        + 1.5 * (device == "new")
        + 1.5 * (device == "new") * new_payee
        + 1.3 * young * (0.5 + new_payee)
        + 1.0 * short * (channel != "branch")
        + 0.7 * (kind == "instant")
        + 0.6 * is_night(at_s)
        - 0.22 * np.log1p(receiver_balance)
    )
    values = {
        "id": codes("TR", 11, rng, n),
        "sender": codes("FR76", 12, rng, n),
        "receiver": codes("FR76", 12, rng, n),
        "amount": amount,
        "balance": balance,
        "receiver_balance": receiver_balance,
        "payee_age": payee_age,
        "receiver_age": receiver_age,
        "device": device,
        "channel": channel,
        "session": session,
        "kind": kind,
    }
    return Drawn(values, risk)


MONEY_TRANSFERS = Family(
    name="money-transfers",
    about="transfers between bank accounts: accounts that were taken over",
    domain="payments",
    fields=(
        Field("id", IDENTIFIER, "transfer_id", "id_virement", "trf_id"),
        Field("time", TIME, "executed_at", "horodatage", "exec_ts"),
        Field("sender", IDENTIFIER, "sender_account", "compte_emetteur", "src_acct"),
        Field("receiver", IDENTIFIER, "beneficiary_account", "compte_beneficiaire", "dst_acct"),
        Field("amount", AMOUNT, "transfer_amount", "montant_virement", "trf_amt"),
        Field("balance", NUMBER, "sender_balance_before", "solde_emetteur_avant", "src_bal"),
        Field("receiver_balance", NUMBER, "beneficiary_balance_before",
              "solde_beneficiaire_avant", "dst_bal"),
        Field("payee_age", NUMBER, "payee_known_days", "anciennete_beneficiaire_jours",
              "payee_days", decimals=3),
        Field("receiver_age", NUMBER, "beneficiary_account_age_days",
              "age_compte_beneficiaire_jours", "dst_age", decimals=0, missing=0.05),
        Field("device", CATEGORY, "device_status", "statut_appareil", "dev_st"),
        Field("channel", CATEGORY, "channel", "canal", "chnl"),
        Field("session", NUMBER, "session_seconds", "duree_session_s", "sess_s", decimals=1),
        Field("kind", CATEGORY, "transfer_kind", "genre_virement", "trf_kd"),
    ),
    label=("is_fraud", "fraude", "frd"),
    rate=0.014,
    draw=draw,
    sharpness=1.8,
)  # fmt: skip
