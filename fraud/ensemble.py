"""An ensemble: which variants vote, how their votes combine, where outcomes begin. The leaf of a
plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from fraud.asking import Asking, Rows, Run, VariantCall
from fraud.document import RANGE, Place, is_number
from fraud.methods.interface import CombiningMethod
from fraud.methods.mean import Mean
from fraud.methods.registry import document_of, method_at
from fraud.variant import VariantRef

SINGLE, ENSEMBLE = "single", "ensemble"
LEAVES = (SINGLE, ENSEMBLE)
"""Kinds of a plan's leaves: one member, or any number of them."""

MOST_MEMBERS = 32
MOST_KNOTS = 10_000
MOST_SUBSETS = 64
LONGEST_MS = 10_000
"""Longest deadline of a plan or of a member."""
DEADLINE_MS = 100
"""Deadline of an ensemble that states none."""

Knots = tuple[tuple[float, float], ...]
_Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A variant that votes.

    Attributes:
        variant: its name, see `fraud.variant.VariantRef`.
        weight: its weight > 0 in the combination.
        required: without its vote the rules decide, whatever the others voted.
        deadline_ms: longest wait for its vote, > 0; None for the ensemble's.
        ranks: its votes in training at ranks from 0 to 1, see `fraud.methods.rank.rank_levels`,
            never falling; () where the combining method needs none.
    """

    variant: str
    weight: float
    required: bool = False
    deadline_ms: int | None = None
    ranks: tuple[float, ...] = ()

    def to_document(self) -> _Document:
        """Return a JSON-ready dict."""
        document: _Document = {"variant": self.variant, "weight": self.weight}
        if self.required:
            document["required"] = True
        if self.deadline_ms is not None:
            document["deadline_ms"] = self.deadline_ms
        if self.ranks:
            document["ranks"] = list(self.ranks)
        return document


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where outcomes begin.

    Attributes:
        challenge, review, block: lowest probability of each outcome:
            0 < challenge <= review <= block <= 1.
        anomaly_challenge: anomaly score from which an approval becomes a challenge; None: never.
    """

    challenge: float
    review: float
    block: float
    anomaly_challenge: float | None = None

    def to_document(self) -> _Document:
        """Return a JSON-ready dict."""
        return {
            "challenge": self.challenge,
            "review": self.review,
            "block": self.block,
            "anomaly_challenge": self.anomaly_challenge,
        }


@dataclass(frozen=True, slots=True)
class SubsetCalibration:
    """The calibration for rows on which only some of the members voted.

    Attributes:
        variants: the members that voted, at least one and not all, sorted.
        calibration: see `Ensemble.calibration`.
    """

    variants: tuple[str, ...]
    calibration: Knots

    def to_document(self) -> _Document:
        """Return a JSON-ready dict."""
        return {"variants": list(self.variants), "calibration": _knots_document(self.calibration)}


@dataclass(frozen=True, slots=True, eq=True)
class Ensemble:
    """Votes of one or more variants on every row, and their combination.

    Attributes:
        members: the supervised variants that vote.
        thresholds: where outcomes begin.
        anomaly: the variant that gives the anomaly score beside the probability, None for none.
        deadline_ms: longest wait for votes, > 0.
        calibration: knots `(combined score, probability)` of a monotone piecewise linear map from
            the method's score to a probability; () is the identity.
        method: turns votes into one score. The document holds its name as `combiner`, and its
            parameters beside it.
        kind: `single` if it may have one member only, else `ensemble`.
        subsets: calibrations for rows on which only some members voted. Where there is none for
            those that did, `calibration` is used.
    """

    members: tuple[Member, ...]
    thresholds: Thresholds
    anomaly: str | None = None
    deadline_ms: int = DEADLINE_MS
    calibration: Knots = ()
    method: CombiningMethod = field(default_factory=Mean)
    kind: str = ENSEMBLE
    subsets: tuple[SubsetCalibration, ...] = ()

    def __post_init__(self) -> None:
        if not self.members or any(not 0 < m.weight < math.inf for m in self.members):
            raise ValueError("members: expected at least one, each with a weight above zero")
        if len(set(self.variants)) != len(self.variants):
            raise ValueError("members: expected each variant once")
        if self.kind == SINGLE and len(self.members) != 1:
            raise ValueError("members: expected one variant in a single plan")
        if self.kind not in LEAVES:
            raise ValueError(f"kind must be one of {', '.join(LEAVES)}")
        t = self.thresholds
        if not 0 < t.challenge <= t.review <= t.block <= 1:
            raise ValueError("thresholds: expected 0 < challenge <= review <= block <= 1")
        if not 0 < self.deadline_ms <= LONGEST_MS:
            raise ValueError(f"deadline_ms: expected a number above zero, at most {LONGEST_MS}")
        _check_knots(self.calibration)
        for subset in self.subsets:
            _check_knots(subset.calibration)
            if not 0 < len(set(subset.variants) & set(self.voters)) == len(subset.variants):
                raise ValueError("subsets: expected some of the members, each once")
        if len({subset.variants for subset in self.subsets}) != len(self.subsets):
            raise ValueError("subsets: expected each set of members once")
        if self.method.uses_ranks and any(len(m.ranks) < 2 for m in self.members):
            raise ValueError("members: expected ranks of each, as the combiner needs them")
        if any(list(m.ranks) != sorted(m.ranks) for m in self.members):
            raise ValueError("members: expected ranks that never fall")

    def __hash__(self) -> int:
        # Ensembles are keys of caches, and hashing the whole takes too long.
        return hash((self.thresholds.challenge, self.thresholds.block, self.deadline_ms))

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant that is asked, voters first."""
        return self.voters if self.anomaly is None else (*self.voters, self.anomaly)

    @property
    def voters(self) -> tuple[str, ...]:
        """The members' variants."""
        return tuple(m.variant for m in self.members)

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """Ask every variant about every row that it has not been asked about; see `Policy`."""
        calls = _calls(self) if rows is None else _calls_about(self, asking, rows)
        if calls and len(asking.batch):
            yield calls
        return [Settled(self, rows, arm, self.variants)]

    def children(self) -> Sequence[tuple[str, Any]]:
        """A leaf has none; see `Policy`."""
        return ()

    def mapped(self, change: Callable[[Any], Any]) -> Ensemble:
        """A leaf has no children to change; see `Policy`."""
        return self

    def renamed(self, name: Callable[[str], str]) -> Ensemble:
        """Return the ensemble with other names of its variants."""
        return replace(
            self,
            members=tuple(replace(m, variant=name(m.variant)) for m in self.members),
            anomaly=None if self.anomaly is None else name(self.anomaly),
            subsets=tuple(
                replace(s, variants=tuple(sorted(map(name, s.variants)))) for s in self.subsets
            ),
        )

    def to_document(self) -> _Document:
        """Return a JSON-ready dict; `ensemble_at` inverts it."""
        document: _Document = {
            "kind": self.kind,
            "members": [member.to_document() for member in self.members],
            "thresholds": self.thresholds.to_document(),
            "anomaly": self.anomaly,
            "deadline_ms": self.deadline_ms,
            "calibration": _knots_document(self.calibration),
            **document_of(self.method),
        }
        if self.subsets:
            document["subsets"] = [subset.to_document() for subset in self.subsets]
        return document


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows that one ensemble decides.

    Attributes:
        ensemble: decides them.
        rows: which rows of the micro-batch.
        arm: the way to the ensemble from the root of the plan, such as `eur > challenger`; "" if
            the plan does not split.
        asked: every variant that was asked about them, first asked first.
    """

    ensemble: Ensemble
    rows: Rows
    arm: str
    asked: tuple[str, ...]


@lru_cache(maxsize=256)
def _calls(ensemble: Ensemble) -> tuple[VariantCall, ...]:
    """The calls about all rows."""
    own = {m.variant: m.deadline_ms for m in ensemble.members}
    return tuple(
        VariantCall(name, None, own.get(name) or ensemble.deadline_ms) for name in ensemble.variants
    )


def _calls_about(ensemble: Ensemble, asking: Asking, rows: Rows) -> tuple[VariantCall, ...]:
    calls = []
    for call in _calls(ensemble):
        left = asking.votes.unanswered(call.variant, rows)
        if not isinstance(left, bool):
            calls.append(VariantCall(call.variant, left, call.deadline_ms))
    return tuple(calls)


def ensemble_at(place: Place) -> Ensemble | None:
    """Read an ensemble's document; None if it has faults, which are noted.

    Keys that belong to no ensemble are parameters of the combining method.
    """
    members = [_member(item) for item in place.items("members", MOST_MEMBERS, least=1)]
    thresholds = thresholds_at(place.at("thresholds"))
    subsets = [_subset(item) for item in place.items("subsets", MOST_SUBSETS)]
    anomaly = variant_at(place, "anomaly") if place.has("anomaly") else None
    return place.build(
        Ensemble,
        members=tuple(members),
        thresholds=thresholds,
        anomaly=anomaly,
        deadline_ms=place.whole("deadline_ms", 1, LONGEST_MS, DEADLINE_MS),
        calibration=_knots(place),
        method=method_at(place, ENSEMBLE_KEYS),
        kind=place.value["kind"],
        subsets=tuple(subsets),
    )


ENSEMBLE_KEYS = (
    *("kind", "members", "thresholds", "anomaly", "deadline_ms", "calibration", "subsets"),
    *("name", "version", "plans", "costs"),
)
"""Keys of a document that are not the combining method's: an ensemble's and a plan's."""


def thresholds_at(place: Place) -> Thresholds | None:
    """Read thresholds; None if they have faults, which are noted."""
    if not place.only(("challenge", "review", "block", "anomaly_challenge")):
        return None
    levels = {
        level: place.number(level, 0, 1, above=True) for level in ("challenge", "review", "block")
    }
    anomaly = None
    if place.has("anomaly_challenge"):
        anomaly = place.number("anomaly_challenge", 0, 1)
    if not levels["challenge"] <= levels["review"] <= levels["block"]:
        place.note(RANGE, "expected 0 < challenge <= review <= block <= 1")
    return place.build(Thresholds, **levels, anomaly_challenge=anomaly)


def variant_at(place: Place, key: str) -> str:
    """Return the name of a variant at `key`; see `fraud.variant.VariantRef`."""
    name = place.text(key, 160)
    try:
        VariantRef.parse(name)
    except ValueError as error:
        # What `text` returns in place of a text has been noted.
        if name == place.value.get(key):
            place.note(RANGE, str(error), key)
    return name


def _member(place: Place) -> Member | None:
    if not place.only(("variant", "weight", "required", "deadline_ms", "ranks")):
        return None
    ranks = [item.value for item in place.items("ranks", MOST_KNOTS)]
    if not all(map(is_number, ranks)):
        place.note(RANGE, "expected finite numbers", "ranks")
        return None
    own = place.has("deadline_ms")
    return place.build(
        Member,
        variant=variant_at(place, "variant"),
        weight=place.number("weight", 0, 1e9, above=True),
        required=place.flag("required"),
        deadline_ms=place.whole("deadline_ms", 1, LONGEST_MS) if own else None,
        ranks=tuple(map(float, ranks)),
    )


def _subset(place: Place) -> SubsetCalibration | None:
    if not place.only(("variants", "calibration")):
        return None
    names = [item.value for item in place.items("variants", MOST_MEMBERS, least=1)]
    if not all(isinstance(name, str) for name in names):
        place.note(RANGE, "expected names of members", "variants")
        return None
    return place.build(SubsetCalibration, variants=tuple(sorted(names)), calibration=_knots(place))


def _knots(place: Place) -> Knots:
    knots = []
    for item in place.items("calibration", MOST_KNOTS):
        pair = item.value
        if isinstance(pair, list | tuple) and len(pair) == 2 and all(map(is_number, pair)):
            knots.append((float(pair[0]), float(pair[1])))
        else:
            item.note(RANGE, "expected a pair of finite numbers")
            break
    return tuple(knots)


def _check_knots(knots: Knots) -> None:
    xs = [x for x, _ in knots]
    ys = [y for _, y in knots]
    if xs != sorted(set(xs)) or ys != sorted(ys) or any(not 0 <= y <= 1 for y in ys):
        raise ValueError(
            "calibration: expected knots that rise in x and never fall in y, y in [0, 1]"
        )


def _knots_document(knots: Knots) -> list[list[float]]:
    return [[x, y] for x, y in knots]
