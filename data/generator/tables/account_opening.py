"""Applications for an account: borrowed and invented identities.

Invented people have a young e-mail address, a phone that was activated lately, a thin file at the
credit bureau, and type fast, since they type from a list. Many applications come from one address.
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

_WORK = {"employed": 56.0, "self_employed": 12.0, "student": 12.0, "retired": 12.0,
         "unemployed": 8.0}  # fmt: skip
_HOME = {"tenant": 45.0, "owner": 38.0, "with_family": 15.0, "other": 2.0}
_DOCUMENT = {"id_card": 62.0, "passport": 26.0, "residence_permit": 8.0, "driving_licence": 4.0}
_FROM = {"web": 48.0, "app": 40.0, "partner": 12.0}


def draw(at_s: Float64, rng: Generator, habits: Float64) -> Drawn:
    """Draw applications."""
    n = at_s.size
    age = np.clip(rng.normal(39, 14, n), 18, 92)
    income = rng.lognormal(7.6, 0.5, n) * habits[0]
    deposit = np.round(rng.lognormal(5.0, 1.1, n) * habits[1], 0) + 1
    mail_age = np.where(rng.random(n) < 0.1, rng.exponential(1.0, n), rng.gamma(1.6, 40.0, n))
    phone_age = np.where(rng.random(n) < 0.08, rng.exponential(0.8, n), rng.gamma(1.5, 34.0, n))
    address_months = np.minimum(rng.gamma(1.0, 60.0, n), 600.0)
    lines = rng.poisson(np.clip((age - 17) / 7, 0.2, 6.0))
    typing = rng.lognormal(5.3, 0.5, n) * habits[2]
    same_address = 1 + rng.poisson(0.25, n) + (rng.random(n) < 0.03) * rng.integers(1, 7, n)
    document = chosen(rng, n, _DOCUMENT)
    fresh = np.exp(-mail_age / 4.0)
    thin = np.maximum(0.0, (age - 25) / 12 - lines)
    fast = np.maximum(0.0, 5.0 - np.log(typing / habits[2]))
    risk = (
        1.6 * fresh
        + 1.5 * np.exp(-phone_age / 3.0)
        + 1.4 * fresh * np.exp(-phone_age / 3.0)
        + 0.8 * thin
        + 1.4 * fast
        + 0.75 * (same_address - 1)
        + 0.8 * (document == "driving_licence")
        + 0.6 * is_night(at_s)
        + 0.5 * np.log(income / (2200.0 * habits[0])) * (lines == 0)
        - 0.3 * np.log1p(address_months)
    )
    values = {
        "id": codes("AP-", 8, rng, n),
        "age": age,
        "income": income,
        "deposit": deposit,
        "mail_age": mail_age,
        "phone_age": phone_age,
        "address_months": address_months,
        "lines": lines,
        "typing": typing,
        "same_address": same_address,
        "document": document,
        "work": chosen(rng, n, _WORK),
        "home": chosen(rng, n, _HOME),
        "came_from": chosen(rng, n, _FROM),
    }
    return Drawn(values, risk)


ACCOUNT_OPENING = Family(
    name="account-opening",
    about="applications for an account: borrowed and invented identities",
    domain="payments",
    fields=(
        Field("id", IDENTIFIER, "application_id", "id_demande", "app_id"),
        Field("time", TIME, "applied_at", "date_demande", "app_ts"),
        Field("age", NUMBER, "applicant_age", "age_demandeur", "age", decimals=0),
        Field("income", NUMBER, "monthly_income", "revenu_mensuel", "inc_m", missing=0.06),
        Field("deposit", AMOUNT, "first_deposit_amount", "montant_premier_depot", "dep_amt"),
        Field("mail_age", NUMBER, "email_age_months", "age_courriel_mois", "mail_m", decimals=1),
        Field("phone_age", NUMBER, "phone_active_months", "telephone_actif_mois", "phone_m",
              decimals=1),
        Field("address_months", NUMBER, "months_at_address", "mois_a_adresse", "addr_m",
              decimals=0),
        Field("lines", NUMBER, "credit_lines", "lignes_credit", "cr_lines", decimals=0),
        Field("typing", NUMBER, "form_seconds", "secondes_formulaire", "form_s", decimals=1),
        Field("same_address", NUMBER, "applications_same_address_30d",
              "demandes_meme_adresse_30j", "app_addr_30d", decimals=0),
        Field("document", CATEGORY, "document_type", "type_document", "doc_tp"),
        Field("work", CATEGORY, "employment", "emploi", "empl"),
        Field("home", CATEGORY, "housing", "logement", "hous"),
        Field("came_from", CATEGORY, "application_source", "origine_demande", "app_src"),
    ),
    label=("fraud_label", "fraude_averee", "frd_lbl"),
    rate=0.015,
    draw=draw,
    sharpness=1.8,
)  # fmt: skip
