"""The catalogue of reasons as a page, from the declarations.

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

## What a reason says

A decision that is not `approve` carries {top} reasons at most, strongest first; an approval carries
none.

{members}
**What is usual** comes out of data. Where the history of the customer, merchant, device or
counterparty is long enough ({mean} payments before the window), it is what the same entity usually
does: "usually about 1 for this customer". Else it is the range of the middle 80 % of the payments
that the model was trained on: "usually 0 to 2"; of a flag or a type, how many of them have it:
"true of 8 % of payments". Histories add amounts up whatever their currencies. So what is told of
them is told in the payment's currency where nine in ten payments of the training were in it, else
as "1,234.50 ... (whatever the currency)"; amounts of the training are compared in the first case
only. These figures lie in the artifact of the model
(`reference.npz`), and the record of a decision names that artifact (`explained_by`), so that
`quorum replay` finds the same reasons as long as the artifact is kept.

**Without evidence nothing is said**, whatever the model makes of it: of a feature that is unknown;
of a count or a sum of zero; of labels without a fraud among them; of a mean, a share or a ratio
over fewer than {mean} payments, or a deviation over fewer than {deviation}; of what is new to a
customer without a history; of a place less than 100 m away. Rules keep to the same.
What adds less than {least} to the log-odds is no reason either.

**Where there are no contributions** (the plan has neither model, or it did not answer in time) the
rules that fire give reasons of the same codes. Failing those, `{model_score}` says the probability
and where the outcome begins.

**A payment that is challenged for its anomaly score alone** says `{anomaly}` and nothing else: what
raised its probability did not count. Where the probability counted, `{anomaly}` comes last.

## Score, level and decision

Each decision has a quarter of the scale of `risk_score` and one `risk_level`: they never contradict
each other.

| decision | `risk_level` | `risk_score` | given from |
|---|---|---|---|
"""
_BANDS = """
Within its quarter a score grows with the probability, in a straight line from where its decision
begins to where the next one does, rounded down. The thresholds are the plan's: `GET
/v1/plans/active` shows each as a probability and as a score. So the same probability may have
another score under another plan; two payments that one plan decided compare by their scores.

A challenge for the anomaly score alone has {challenge}, the lowest of its quarter, whatever its
probability. Rules review at most: what they decide is never scored as a block.

## The codes

| code | what it is about | features | rule |
|---|---|---|---|
"""
_MEMBERS = (
    (
        "code",
        "one of the codes below. Features of one code are one reason: what they added is added up",
    ),
    (
        "feature",
        "the feature that the sentence is about: of those of the code the one that added most; "
        "null where it is about none",
    ),
    ("detail", "a sentence: the value, then what is usual"),
    (
        "direction",
        "`raises`: what it does to the risk. What lowers the risk is taken off the sum of its "
        "code, and is no reason of its own",
    ),
    (
        "contribution",
        "log-odds that the features of the code added to the XGBoost model (TreeSHAP), or, in a "
        "plan without it, to the logistic one (beside what they add on average); 0 for a "
        f"rule, an anomaly, and `{MODEL_SCORE}`",
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
    return f"| member | what it is |\n|---|---|\n{rows}"


def _line(code: str, meaning: str) -> str:
    rules = "yes" if code in {rule.code for rule in RULES} else ""
    return f"| `{code}` | {meaning} | {_features(code)} | {rules} |\n"


def _features(code: str) -> str:
    if code == TABLE_COLUMN:
        return "columns that are no declared features"
    names = [feature.name for feature in FEATURES if feature.wording.code == code]
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown}, and {more} more" if more > 0 else shown or "none"


if __name__ == "__main__":
    sys.stdout.write(markdown())
