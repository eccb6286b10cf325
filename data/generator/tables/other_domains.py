"""Tables that are not about payments: references must not match them.

Each has a label of its own that follows from its columns, so that only their subject tells them
from payments; `gibberish` has a label without any reason.
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
    Values,
    chosen,
    codes,
)

_BODY = {"sedan": 45.0, "suv": 30.0, "van": 10.0, "coupe": 10.0, "truck": 5.0}
_CAUSE = {
    "collision": 52.0,
    "theft": 8.0,
    "glass": 20.0,
    "weather": 14.0,
    "fire": 2.0,
    "vandalism": 4.0,
}
_WITNESS = {"none": 60.0, "one": 25.0, "several": 15.0}
_SCHOOL = {"high_school": 40.0, "university": 35.0, "graduate": 20.0, "other": 5.0}
_MARRIED = {"single": 50.0, "married": 44.0, "divorced": 6.0}
_CONTRACT = {"monthly": 55.0, "one_year": 25.0, "two_years": 20.0}
_NET = {"fibre": 45.0, "dsl": 35.0, "none": 20.0}
_MACHINE = {"press": 30.0, "lathe": 30.0, "pump": 25.0, "oven": 15.0}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _claims(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    n = at_s.size
    age, held = rng.integers(0, 20, n), rng.gamma(1.5, 30.0, n)
    damage = rng.lognormal(7.4, 0.9, n) * habits[0]
    late, earlier = rng.poisson(2.5 * habits[1], n), rng.poisson(0.5, n)
    cause, witness = chosen(rng, n, _CAUSE), chosen(rng, n, _WITNESS)
    risk = (
        1.2 * np.log(damage / 1600) * (witness == "none")
        + 0.3 * late + 0.9 * earlier
        + 1.5 * (cause == "theft") + 2.0 * (cause == "fire") - 0.02 * held
    )  # fmt: skip
    values: dict[str, Values] = {
        "id": codes("CLM", 7, rng, n),
        "vehicle_age": age,
        "held": held,
        "damage": damage,
        "late": late,
        "earlier": earlier,
        "cause": cause,
        "witness": witness,
        "body": chosen(rng, n, _BODY),
    }
    return Drawn(values, risk)


def _credit(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    n = at_s.size
    limit = np.round(rng.lognormal(11.6, 0.8, n) * habits[0], -4) + 10_000
    used = rng.beta(1.2, 1.6, n)
    delays = rng.poisson(0.4, n)
    age = np.clip(rng.normal(36, 9, n), 21, 79)
    values: dict[str, Values] = {
        "id": np.arange(1, n + 1),
        "limit": limit,
        "age": age,
        "school": chosen(rng, n, _SCHOOL),
        "married": chosen(rng, n, _MARRIED),
        "bill": limit * used,
        "paid": limit * used * rng.beta(1, 8, n),
        "delays": delays,
        "worst": np.minimum(delays, rng.poisson(0.6, n)),
    }
    return Drawn(values, 1.5 * used + 1.1 * delays - 0.5 * np.log(limit / 1e5))


def _churn(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    n = at_s.size
    months, calls = rng.gamma(1.2, 26.0, n), rng.poisson(1.3 * habits[0], n)
    charge = np.clip(rng.normal(64, 28, n) * habits[1], 15, None)
    contract, net = chosen(rng, n, _CONTRACT), chosen(rng, n, _NET)
    risk = (1.8 * (contract == "monthly") - 0.03 * months + 0.5 * calls
            + 0.9 * (net == "fibre") + 0.015 * charge)  # fmt: skip
    values: dict[str, Values] = {
        "id": codes("S-", 7, rng, n),
        "months": months,
        "calls": calls,
        "charge": charge,
        "contract": contract,
        "net": net,
        "minutes": rng.gamma(2.0, 120.0, n),
        "lines": 1 + rng.poisson(0.4, n),
    }
    return Drawn(values, risk)


def _sensors(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    n = at_s.size
    heat = rng.normal(62 * habits[0], 6, n)
    shake, pressure = rng.gamma(3.0, 0.9, n), rng.normal(4.1, 0.35, n)
    turns, wear = rng.normal(1480, 70, n), rng.uniform(0, 240, n)
    risk = 0.16 * (heat - 62 * habits[0]) + 0.7 * shake + 0.01 * wear - 1.5 * pressure
    values: dict[str, Values] = {
        "machine": chosen(rng, n, _MACHINE),
        "heat": heat,
        "shake": shake,
        "pressure": pressure,
        "turns": turns,
        "wear": wear,
        "humid": rng.uniform(20, 80, n),
    }
    return Drawn(values, risk)


def _gibberish(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    n = at_s.size
    words = ["".join(rng.choice(list(_LETTERS), 5)) for _ in range(40)]
    picked = np.array(words, dtype=object)
    values: dict[str, Values] = {
        "a": rng.normal(0, 1, n),
        "b": rng.uniform(-1e6, 1e6, n),
        "c": picked[rng.integers(0, 40, n)],
        "d": codes("", 16, rng, n),
        "e": rng.integers(0, 3, n),
        "f": rng.standard_cauchy(n),
        "g": picked[rng.integers(0, 4, n)],
    }
    return Drawn(values, np.zeros(n))


def _number(key: str, english: str, french: str, short: str, decimals: int = 0) -> Field:
    return Field(key, NUMBER, english, french, short, decimals=decimals)


INSURANCE_CLAIMS = Family(
    name="insurance-claims",
    about="claims on car insurance",
    domain="insurance",
    fields=(
        Field("id", IDENTIFIER, "claim_number", "no_sinistre", "clm_no"),
        Field("time", TIME, "accident_date", "date_accident", "acc_dt"),
        _number("vehicle_age", "vehicle_age_years", "age_vehicule", "veh_age"),
        _number("held", "policy_months", "mois_contrat", "pol_m"),
        Field("damage", AMOUNT, "damage_estimate", "estimation_dommages", "dmg_est"),
        _number("late", "days_until_reported", "jours_avant_declaration", "days_rep"),
        _number("earlier", "earlier_claims", "sinistres_anterieurs", "prev_clm"),
        Field("cause", CATEGORY, "cause_of_loss", "cause_sinistre", "cause"),
        Field("witness", CATEGORY, "witnesses", "temoins", "wit"),
        Field("body", CATEGORY, "vehicle_body", "carrosserie", "veh_bd"),
    ),
    label=("fraud_found", "fraude", "frd"),
    rate=0.06,
    draw=_claims,
)
CREDIT_DEFAULT = Family(
    name="credit-default",
    about="credit cards whose holders stop paying",
    domain="credit",
    fields=(
        Field("id", IDENTIFIER, "client_id", "no_client", "cl_id"),
        Field("limit", AMOUNT, "credit_limit", "plafond_credit", "lim_bal"),
        _number("age", "age", "age", "age"),
        Field("school", CATEGORY, "education", "etudes", "educ"),
        Field("married", CATEGORY, "marital_status", "situation_familiale", "marr"),
        Field("bill", AMOUNT, "statement_balance", "solde_releve", "bill"),
        Field("paid", AMOUNT, "last_repayment", "dernier_remboursement", "rep"),
        _number("delays", "months_delayed", "mois_retard", "dly"),
        _number("worst", "worst_delay", "pire_retard", "w_dly"),
    ),
    label=("default_next_month", "defaut_mois_suivant", "default"),
    rate=0.22,
    draw=_credit,
)
CHURN = Family(
    name="churn",
    about="telephone subscribers who leave",
    domain="telephony",
    fields=(
        Field("id", IDENTIFIER, "subscription", "abonnement", "sub"),
        _number("months", "tenure_months", "anciennete_mois", "ten_m"),
        _number("calls", "support_calls", "appels_assistance", "sup_calls"),
        _number("charge", "monthly_charge", "abonnement_mensuel", "mth_chg", 2),
        Field("contract", CATEGORY, "contract", "engagement", "contr"),
        Field("net", CATEGORY, "internet_service", "service_internet", "inet"),
        _number("minutes", "voice_minutes", "minutes_voix", "v_min"),
        _number("lines", "phone_lines", "lignes", "lines"),
    ),
    label=("churned", "resilie", "churn"),
    rate=0.24,
    draw=_churn,
)
SENSORS = Family(
    name="sensors",
    about="readings of machines, and failures that followed",
    domain="industry",
    fields=(
        Field("time", TIME, "read_at", "mesure_le", "rd_ts"),
        Field("machine", CATEGORY, "machine_type", "type_machine", "mch"),
        _number("heat", "temperature_c", "temperature_c", "temp", 2),
        _number("shake", "vibration_mm_s", "vibration_mm_s", "vib", 3),
        _number("pressure", "pressure_bar", "pression_bar", "pres", 3),
        _number("turns", "spindle_rpm", "tours_minute", "rpm"),
        _number("wear", "tool_wear_min", "usure_outil_min", "wear", 1),
        _number("humid", "humidity_percent", "humidite_pourcent", "hum", 1),
    ),
    label=("failed", "panne", "fail"),
    rate=0.03,
    draw=_sensors,
)
GIBBERISH = Family(
    name="gibberish",
    about="columns that mean nothing",
    domain="nothing",
    fields=(
        _number("a", "qxv", "zlorp", "a1", 5),
        _number("b", "wibble", "brumf", "b7", 1),
        Field("c", CATEGORY, "florp", "crix", "c3"),
        Field("d", IDENTIFIER, "zzyzx", "dranu", "d9"),
        _number("e", "grault", "ebbo", "e2"),
        _number("f", "plugh", "fneu", "f5", 4),
        Field("g", CATEGORY, "xyzzy", "gorv", "g8"),
    ),
    label=("thud", "houp", "h4"),
    rate=0.1,
    draw=_gibberish,
)
