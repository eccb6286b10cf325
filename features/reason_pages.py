"""The page of all reasons, from their declarations.

python -m features.reason_pages > docs/reasons.md
"""

from __future__ import annotations

import sys

from features.definitions import FEATURES
from fraud.combine.risk import BAND
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.reasons.catalogue import ANOMALY, CATALOGUE, MODEL_SCORE, TABLE_COLUMN
from fraud.reasons.wording import LEAST_FOR_DEVIATION, LEAST_FOR_MEAN
from fraud.reasons.writer import LEAST_LOG_ODDS, TOP
from fraud.rules.declared import RULES

_HEAD = """\
# Reasons and risk

Written by `make docs` from `fraud/reasons/catalogue.py`, the declarations of the features, and the
rules. A client acts on `code`; people read `detail`.

## What a reason states

A decision that is not `approve` carries at most {top} reasons, strongest first; an approval carries
none.

{members}
**What is usual** comes from data. If the history of the customer, merchant, device or counterparty
is long enough ({mean} payments before the window), it is what that entity usually does: "usually
about 1 for this customer". Otherwise it is the middle 80 % of the payments that the model was
trained on: "usually 0 to 2"; for a flag or a type it is their share: "true of 8 % of payments".
Histories add amounts of all currencies. Their sums are stated in the payment's currency if nine in
ten training payments were in it, otherwise as "1,234.50 ... (whatever the currency)"; only in the
first case are they compared with training amounts. These figures are part of the model's artifact
(`reference.npz`). The record of a decision names that artifact (`explained_by`), so that
`quorum replay` finds the same reasons as long as the artifact is kept.

**There is no reason without evidence**, whatever the model makes of it. No reason states a missing
feature; a count or a sum of zero; labels without a fraud among them; a mean, a share or a ratio
over fewer than {mean} payments, or a deviation over fewer than {deviation}; novelty to a customer
without a history; a place less than 100 m away. The same holds for rules. A code that adds less
than {least} to the log-odds is no reason either.

**Without contributions** (the plan has neither model, or it did not answer in time) the rules that
fire give reasons of the same codes. Without those, `{model_score}` states the probability and where
the outcome begins.

**A payment that is challenged for its anomaly score alone** has the single reason `{anomaly}`: what
raised its probability did not count. Where the probability counted, `{anomaly}` comes last.

## Score, level and decision

Each outcome has a quarter of the scale of `risk_score` and one `risk_level`, so that these never
contradict each other.

| decision | `risk_level` | `risk_score` | given from |
|---|---|---|---|
"""
_BANDS = """
Within its quarter the score grows linearly with the probability, from the threshold of the outcome
to that of the next one, rounded down. The thresholds are those of the plan: `GET /v1/plans/active`
shows each as a probability and as a score. The same probability may thus have another score under
another plan; two payments decided by one plan compare by their scores.

A challenge for the anomaly score alone has {challenge}, the lowest of its quarter, whatever its
probability. Rules give `review` at most, so their decisions are never scored as a block.

## The codes

| code | topic | features | rule |
|---|---|---|---|
"""
_MEMBERS = (
    (
        "code",
        "one of the codes below. Features of one code make one reason: what they add is summed",
    ),
    (
        "feature",
        "the feature that the sentence is about: the one of the code that adds most; null where it "
        "is about none",
    ),
    ("detail", "a sentence: the value, then what is usual"),
    (
        "direction",
        "`raises`: its effect on the risk. Features that lower the risk reduce the sum of their "
        "code, and are no reasons of their own",
    ),
    (
        "contribution",
        "log-odds that the features of the code add to the XGBoost model (TreeSHAP) or, in a plan "
        "without it, to the logistic one (relative to their average); 0 for a rule, an anomaly, "
        f"and `{MODEL_SCORE}`",
    ),
)
_FROM = ("the rest", "`challenge`", "`review`", "`block`")
_SHOWN = 4


def markdown() -> str:
    """The page."""
    parts = [
        _HEAD.format(
            top=TOP,
            members=_members(),
            mean=LEAST_FOR_MEAN,
            deviation=LEAST_FOR_DEVIATION,
            least=LEAST_LOG_ODDS,
            anomaly=ANOMALY,
            model_score=MODEL_SCORE,
        )
    ]
    for i, (outcome, level) in enumerate(zip(OUTCOMES, RISK_LEVELS, strict=True)):
        scores = f"{BAND * i} to {BAND * i + BAND - 1}"
        begins = _FROM[i] if i == 0 else f"the plan's threshold {_FROM[i]}"
        parts.append(f"| `{outcome.value}` | `{level}` | {scores} | {begins} |\n")
    parts.append(_BANDS.format(challenge=BAND))
    parts += [_line(entry.code, entry.meaning) for entry in CATALOGUE]
    return "".join(parts)


def _members() -> str:
    rows = "".join(f"| `{name}` | {text} |\n" for name, text in _MEMBERS)
    return f"| member | meaning |\n|---|---|\n{rows}"


def _line(code: str, meaning: str) -> str:
    rules = "yes" if code in {rule.code for rule in RULES} else ""
    return f"| `{code}` | {meaning} | {_features(code)} | {rules} |\n"


def _features(code: str) -> str:
    if code == TABLE_COLUMN:
        return "columns other than the declared features"
    names = [feature.name for feature in FEATURES if feature.wording.code == code]
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown}, and {more} more" if more > 0 else shown or "none"


if __name__ == "__main__":
    sys.stdout.write(markdown())
