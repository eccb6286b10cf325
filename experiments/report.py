"""The report of an experiment: every arm, shadow and challenger of a plan, and who is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from experiments.comparison import Comparison, Grounds, Measured, compared, measured
from experiments.maturity import Known, Unlabelled, Waiting
from experiments.output.page import to_page
from experiments.output.table import to_csv
from experiments.reading.reader import Found, Wanted
from experiments.rows import UNKNOWN, is_within
from experiments.sides import PLAN, Side, arm_names, pairs
from experiments.statistics.confidence_sequence import LEVEL
from experiments.statistics.differences import Difference
from experiments.statistics.figures import number, review_rate_of
from experiments.statistics.losses import BRIER, COST
from experiments.statistics.outcomes import reviewed
from fraud.costs import Costs
from fraud.errors import NotFound

DEFAULT_DAYS = 90
"""How far back a report looks unless it is told otherwise."""

_LABEL_GAP = 0.05
"""Arms whose labelled shares differ by more are hard to compare."""
_FEW_LABELS = 0.5
_FEW_PAYMENTS = 20
"""Shares of fewer payments say nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a plan.

    Attributes:
        wanted: which decisions it is about.
        plan_versions: versions that decided, rising.
        waiting: from which age payments count.
        unlabelled: what payments without a label count as.
        share: share of customers in the sample, 1 for all.
        costs: the plan's; None if it has none.
        sides: the plan as a whole, then every arm, shadow and variant, each on all of its payments.
        models: side -> the models behind it, `variant@version`.
        comparisons: each side that could replace another.
        notes: what a reader should know, a sentence each.
    """

    wanted: Wanted
    plan_versions: tuple[int, ...]
    waiting: Waiting
    unlabelled: Unlabelled
    share: float
    costs: Costs | None
    sides: dict[Side, Measured]
    models: dict[Side, tuple[str, ...]]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...]

    def comparison(self, side: Side) -> Comparison | None:
        """Return the comparison of a side; None if it is compared with nothing."""
        return next((c for c in self.comparisons if c.pair.side == side), None)

    def to_csv(self) -> str:
        """Return the report as CSV, see `experiments.output.table`."""
        return to_csv(self.to_document())

    def to_page(self) -> str:
        """Return the report as one HTML page, see `experiments.output.page`."""
        return to_page(self.to_document())

    def to_document(self) -> dict[str, Any]:
        """Return the report, ready for JSON."""
        return {
            "plan": self.wanted.plan,
            "version": self.wanted.version,
            "plan_versions": list(self.plan_versions),
            "from": _text(self.wanted.since),
            "to": _text(self.wanted.until),
            "label_delay": {
                "waiting_days": self.waiting.ms / 86_400_000,
                "source": self.waiting.source,
                "median_ms": self.waiting.delay.median_ms,
                "usual_ms": self.waiting.delay.usual_ms,
                "frauds": self.waiting.delay.frauds,
            },
            "unlabelled": self.unlabelled,
            "customers_sampled": self.share,
            "costs": None if self.costs is None else asdict(self.costs),
            "decides_by": (BRIER if self.costs is None else COST).name,
            "level": LEVEL,
            "sides": [
                _side(side) | {"models": list(self.models.get(side, ()))} | _measured(found)
                for side, found in self.sides.items()
            ],
            "comparisons": [_comparison(c) for c in self.comparisons],
            "notes": list(self.notes),
        }


def report(
    found: Found,
    wanted: Wanted,
    *,
    waiting_days: float | None = None,
    unlabelled: Unlabelled = "excluded",
    go_on: Callable[[], None] = lambda: None,
) -> Report:
    """Compare everything that a plan asks.

    Args:
        found: what is on record, from `experiments.reading.reader.read`.
        wanted: what was asked for; `until` is the time of the look.
        waiting_days: the age from which payments count; None: as long as labels usually take.
        unlabelled: what older payments without a label count as, see `experiments.maturity`.
        go_on: called before each measure of a comparison, which may take seconds; what it raises
            ends the report.

    Raises:
        NotFound: the plan decided nothing in this time.
    """
    rows = found.rows
    if not len(rows):
        version = "" if wanted.version is None else f" version {wanted.version}"
        raise NotFound(
            f"plan {wanted.plan}{version} decided no payment between {_text(wanted.since)} and"
            f" {_text(wanted.until)}"
        )
    now_ms = int(wanted.until.timestamp() * 1000)
    waiting = Waiting.of(found.delay, waiting_days)
    known = Known.of(rows, waiting.ms, now_ms, unlabelled)
    costs = _costs(found)
    grounds = Grounds(rows, known, waiting, now_ms, costs, go_on)
    arms = [arm for i, arm in enumerate(rows.arms) if (rows.arm == i).any()]
    sides = [
        PLAN,
        *(Side("arm", name) for name in arm_names(found.plans, arms)),
        *(Side("shadow", name) for name in rows.shadows),
        *(Side("variant", name) for name in rows.variants),
    ]
    rate = review_rate_of(rows.live)
    comparisons: list[Comparison] = []
    for pair in pairs(found.plans, arms, [*rows.variants], [*rows.shadows]):
        go_on()
        comparisons.append(compared(grounds, pair))
    figures: dict[Side, Measured] = {}
    for side in sides:
        go_on()
        figures[side] = measured(grounds, side, grounds.mask(side), rate)
    return Report(
        wanted,
        found.plan_versions,
        waiting,
        unlabelled,
        found.share,
        costs,
        figures,
        {side: _models(found, side) for side in sides},
        tuple(comparisons),
        (*_notes(found, comparisons, unlabelled), *_chosen_labels(grounds, unlabelled)),
    )


def _costs(found: Found) -> Costs | None:
    """The costs of the newest version that has some."""
    return next((plan.costs for plan in found.plans if plan.costs is not None), None)


def _models(found: Found, side: Side) -> tuple[str, ...]:
    """The models behind a side; an arm has those of its parts."""
    if side.kind in ("shadow", "variant"):
        return found.models.get(side, ())
    rows = found.rows
    wanted = rows.arms if side == PLAN else [a for a in rows.arms if is_within(a, side.name)]
    return tuple(sorted({m for arm in wanted for m in found.models.get(Side("arm", arm), ())}))


def _notes(found: Found, comparisons: Sequence[Comparison], unlabelled: Unlabelled) -> list[str]:
    notes = []
    if found.share < 1:
        notes.append(f"The figures rest on a sample of {found.share:.1%} of customers.")
    if found.unreadable:
        notes.append(
            f"The documents of {found.unreadable} versions cannot be read: their arms are not"
            " compared."
        )
    for c in comparisons:
        one, other = c.side.maturity, c.against.maturity
        if unlabelled == "excluded" and one.old_enough and other.old_enough:
            shares = [m.labelled / m.old_enough for m in (one, other)]
            if abs(shares[0] - shares[1]) > _LABEL_GAP:
                notes.append(
                    f"{c.pair.side} has labels for {shares[0]:.0%} of its older payments,"
                    f" {c.pair.against} for {shares[1]:.0%}: figures may differ for that reason"
                    " alone."
                )
            elif min(shares) < _FEW_LABELS:
                notes.append(
                    f"Only {min(shares):.0%} of older payments of {c.pair.side} have a label: the"
                    " figures speak for these alone."
                )
        if c.moved:
            notes.append(
                f"{c.moved} customers moved between {c.pair.side} and {c.pair.against}: their"
                " payments after the move are left out of the comparison."
            )
    return [note[0].upper() + note[1:] for note in notes]


def _chosen_labels(grounds: Grounds, unlabelled: Unlabelled) -> list[str]:
    """A note where the plan's own decisions choose which payments have a label: where those that it
    stopped are labelled by analysts and no others are, or where nobody learns of what it blocked.
    No comparison on such labels is fair, not even on the same payments."""
    rows = grounds.rows
    assert rows.live.outcome is not None
    old = rows.decided_ms + grounds.waiting.ms <= grounds.now_ms
    was_stopped = reviewed(rows.live.outcome) > 0
    groups = [old & ~was_stopped, old & was_stopped]
    if min(group.sum() for group in groups) < _FEW_PAYMENTS:
        return []
    let_go, stopped = ((rows.label[group] != UNKNOWN).mean() for group in groups)
    if unlabelled == "genuine":
        if stopped >= _FEW_LABELS:
            return []
        return [
            f"Of older payments that the plan reviewed or blocked {1 - stopped:.0%} have no label:"
            " they count as genuine, whatever they were."
        ]
    if abs(let_go - stopped) <= _LABEL_GAP:
        return []
    return [
        f"Labels are known for {stopped:.0%} of older payments that the plan reviewed or blocked,"
        f" and for {let_go:.0%} of the others: the plan's own decisions choose which payments"
        " count, which biases every figure and comparison."
    ]


def _side(side: Side) -> dict[str, Any]:
    return {"kind": side.kind, "name": side.name}


def _measured(found: Measured) -> dict[str, Any]:
    figures = asdict(found.figures)
    figures["calibration"] = [list(bin_) for bin_ in found.figures.calibration]
    return {"figures": figures, "maturity": asdict(found.maturity)}


def _comparison(c: Comparison) -> dict[str, Any]:
    return {
        "side": _side(c.pair.side) | _measured(c.side),
        "against": _side(c.pair.against) | _measured(c.against),
        "same_payments": c.pair.paired,
        "moved_customers": c.moved,
        "differences": [_difference(d) for d in c.differences],
        "recommendation": asdict(c.recommendation),
    }


def _difference(d: Difference) -> dict[str, Any]:
    document: dict[str, Any] = {
        "measure": d.measure.name,
        "better": d.measure.better,
        "side": number(d.side),
        "against": number(d.against),
        "difference": number(d.difference),
        "low": number(d.low),
        "high": number(d.high),
        "method": d.method,
        "at_one_look": d.at_one_look,
        "is": d.verdict,
    }
    if d.track is not None and d.at_ms is not None:
        columns = (d.at_ms, d.track.rows, d.track.estimate, d.track.low, d.track.high)
        document["looks"] = [
            {
                "at": _text(datetime.fromtimestamp(at / 1000, UTC)),
                "rows": rows,
                "difference": number(estimate),
                "low": number(low),
                "high": number(high),
            }
            for at, rows, estimate, low, high in zip(*(c.tolist() for c in columns), strict=True)
        ]
    return document


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
