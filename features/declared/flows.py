"""Money through the accounts of a payment."""

from __future__ import annotations

from features.declaration import Family, Subject
from features.declared.missing import unknown
from features.declared.windows import LEAST_MONEY
from features.families import flow
from features.state.windows import D7, H24
from fraud.reasons.catalogue import MONEY_FLOW
from fraud.reasons.number_text import DURATION, MONEY, TIMES, Unit, count_of
from fraud.reasons.wording import Wording


def _wording(phrase: str, unit: Unit, least: float = float("-inf")) -> Wording:
    return Wording(MONEY_FLOW, phrase, unit, least=least)


def payer() -> Family:
    """Money that the paying account received and passes on."""
    about = Subject("flow", "payer", unknown("counterparty"))
    f, received = about.feature, "received by this {entity} in the last {span}"
    passed = (
        "this amount and the sum sent by this {entity} in the last {span}, divided by the sum it "
        "received"
    )
    nothing = "it received nothing in the window"
    came = "the paying account received {value} in the last {span}"
    return about.computed_by(
        flow.payer,
        *(f("inflow", f"sum {received}", _wording(came, MONEY, LEAST_MONEY), w) for w in (H24, D7)),
        f(
            "inflow_count",
            f"number of payments {received}",
            _wording(came, count_of("payment"), 1),
            D7,
            dtype="int",
        ),
        f(
            "fan_in",
            "distinct accounts that paid this {entity} in the last {span}",
            _wording("{value} paid the paying account in the last {span}", count_of("account"), 1),
            D7,
            dtype="int",
        ),
        f(
            "seconds_since_inflow",
            "seconds since this {entity} last received a payment",
            _wording("{value} since the paying account last received money", DURATION),
            missing="none within 60 days",
        ),
        *(
            f(
                "pass_through",
                passed,
                _wording(
                    "this payment and what the paying account sent in the last {span} are {value}"
                    " what it received",
                    TIMES,
                ),
                w,
                missing=nothing,
            )
            for w in (H24, D7)
        ),
        f(
            "seconds_since_round_trip",
            "seconds since this {entity} was last paid by the account that it pays now",
            _wording(
                "{value} since the account that is paid now paid the paying account", DURATION
            ),
            missing="never within 60 days",
            dtype="int",
        ),
    )


def payee() -> Family:
    """Money that the receiving account sends on."""
    about = Subject("flow", "payee", unknown("counterparty"))
    f = about.feature
    return about.computed_by(
        flow.payee,
        f(
            "outflow",
            "sum sent by this {entity} in the last {span}",
            _wording("the receiving account sent {value} in the last {span}", MONEY, LEAST_MONEY),
            H24,
        ),
        f(
            "fan_out",
            "distinct accounts that this {entity} paid in the last {span}",
            _wording(
                "the receiving account paid {value} in the last {span}", count_of("account"), 1
            ),
            D7,
            dtype="int",
        ),
        f(
            "pass_through",
            "sum sent by this {entity} in the last {span} divided by the sum it received",
            _wording(
                "what the receiving account sent in the last {span} is {value} what it received",
                TIMES,
                1e-9,
            ),
            H24,
            missing="it received nothing in the window",
        ),
    )
