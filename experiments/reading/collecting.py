"""Turning rows of the statements into columns, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from experiments.rows import UNKNOWN, Answers, Bool, Rows
from experiments.sides import Side
from fraud.decision import OUTCOMES
from fraud.payment.currency import EXPONENT
from fraud.stage import VOTES

BUCKETS = 65_536
"""Hash values of customers."""

_VARIANTS = 8
"""With more variants fewer decisions are kept: each variant has two columns of its own."""
_KEY = (1 << 64) - 1
_OUTCOME = {outcome.value: index for index, outcome in enumerate(OUTCOMES)}
_NO_STAGE = float("nan")

Columns = dict[str, NDArray[Any]]
UInt64 = NDArray[np.uint64]


class _Vote(msgspec.Struct):
    variant: str
    status: str
    version: str = ""
    score: float | None = None


class _Payment(msgspec.Struct):
    amount_minor: int
    currency: str


_votes = msgspec.json.Decoder(list[_Vote]).decode
_stages = msgspec.json.Decoder(dict[str, float]).decode
_payment = msgspec.json.Decoder(_Payment).decode


class Decisions:
    """Collects the rows of `decisions.sql`. With more than `max_rows` it keeps those of half of the
    customers, by a hash, then of a quarter, and so on; with more than eight variants already with
    fewer, so that memory stays bounded.

    Attributes:
        buckets: hash values of customers whose decisions are kept, of `BUCKETS`.
        digests: digest of a plan's document -> (version, when it decided last).
        plan_versions: versions that decided.
        models: arm or variant -> the models that voted, `variant@version`.
    """

    def __init__(self, max_rows: int) -> None:
        self.buckets = BUCKETS
        self.digests: dict[str, tuple[int, int]] = {}
        self.plan_versions: set[int] = set()
        self.models: dict[Side, set[str]] = {}
        self._max_rows = max_rows
        self._count = 0
        self._parts: list[Columns] = []
        self._arms: dict[str, int] = {}
        self._variants: dict[str, None] = {}

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add a part."""
        self._parts.append(_kept(self._columns(rows), self.buckets))
        self._count += self._parts[-1]["customer"].size
        most = self._max_rows * _VARIANTS // max(len(self._variants), _VARIANTS)
        while self._count > most and self.buckets > 1:
            self.buckets //= 2
            self._parts = [_kept(part, self.buckets) for part in self._parts]
            self._count = sum(part["customer"].size for part in self._parts)

    def rows(self) -> tuple[Rows, UInt64]:
        """Return all decisions in order, the first on each payment, and the key of each,
        uint64[n], by which its shadows are found."""
        columns = {name: self._column(name) for name in _FIXED}
        order = np.lexsort((columns["key"], columns["decided_ms"]))
        _, first = np.unique(columns["payment"][order], return_index=True)
        order = order[np.sort(first)]
        columns = {name: column[order] for name, column in columns.items()}
        rows = Rows(
            decided_ms=columns["decided_ms"],
            customer=columns["customer"],
            amount=columns["amount"],
            label=columns["label"],
            known_ms=columns["known_ms"],
            arm=columns["arm"],
            arms=tuple(self._arms),
            live=Answers(
                columns["probability"],
                columns["votes_ms"],
                columns["outcome"],
                columns["degraded"],
            ),
            variants={
                name: Answers(
                    self._column(f"score {name}")[order], self._column(f"ms {name}")[order]
                )
                for name in sorted(self._variants)
            },
        )
        return rows, columns["key"]

    def _columns(self, rows: Sequence[Mapping[str, Any]]) -> Columns:
        stages = [_stages(row["stage_ms"]) for row in rows]
        columns: Columns = {
            "key": np.array([row["decision_id"].int & _KEY for row in rows], np.uint64),
            "decided_ms": np.array([row["decided_ms"] for row in rows], np.int64),
            "customer": np.array([row["customer"] for row in rows], np.int64),
            "payment": np.array([row["payment"] for row in rows], np.int64),
            "amount": np.array([_amount(row["transaction"]) for row in rows], np.float64),
            "label": np.array([_label(row["is_fraud"]) for row in rows], np.int8),
            "known_ms": np.array([_or(row["known_ms"], UNKNOWN) for row in rows], np.int64),
            "arm": np.array([self._arm(row["arm"]) for row in rows], np.int32),
            "probability": np.array([row["probability"] for row in rows], np.float64),
            "votes_ms": np.array([s.get(VOTES, _NO_STAGE) for s in stages], np.float32),
            "outcome": np.array([_OUTCOME[row["outcome"]] for row in rows], np.int8),
            "degraded": np.array([row["degraded"] for row in rows], np.bool_),
        }
        for i, (row, stage_ms) in enumerate(zip(rows, stages, strict=True)):
            self._note_plan(row)
            arm = self.models.setdefault(Side("arm", row["arm"]), set())
            for place, vote in enumerate(_votes(row["votes"])):
                if vote.status != "ok" or vote.score is None:
                    continue
                model = f"{vote.variant.partition('@')[0]}@{vote.version}"
                arm.add(model)
                self.models.setdefault(Side("variant", vote.variant), set()).add(model)
                self._variants[vote.variant] = None
                _cells(columns, f"score {vote.variant}", np.float64, len(rows))[i] = vote.score
                ms = stage_ms.get(str(place), _NO_STAGE)
                _cells(columns, f"ms {vote.variant}", np.float32, len(rows))[i] = ms
        return columns

    def _arm(self, name: str) -> int:
        return self._arms.setdefault(name, len(self._arms))

    def _note_plan(self, row: Mapping[str, Any]) -> None:
        version, digest, decided_ms = row["plan_version"], row["digest"], row["decided_ms"]
        self.plan_versions.add(version)
        if digest is not None:
            last = self.digests.get(digest, (version, decided_ms))[1]
            self.digests[digest] = version, max(last, decided_ms)

    def _column(self, name: str) -> NDArray[Any]:
        kind = _FIXED.get(name, np.float32 if name.startswith("ms ") else np.float64)
        parts = [
            part.get(name, np.full(part["customer"].size, _NO_STAGE, kind))
            if name not in _FIXED
            else part[name]
            for part in self._parts
        ]
        return np.concatenate([np.empty(0, kind), *parts])


_FIXED: dict[str, type[np.generic]] = {
    "key": np.uint64,
    "decided_ms": np.int64,
    "customer": np.int64,
    "payment": np.int64,
    "amount": np.float64,
    "label": np.int8,
    "known_ms": np.int64,
    "arm": np.int32,
    "probability": np.float64,
    "votes_ms": np.float32,
    "outcome": np.int8,
    "degraded": np.bool_,
}
"""The columns that every part has, besides scores and times of its variants."""


class Shadows:
    """Collects the rows of `shadows.sql` that belong to decisions which are kept.

    Args:
        keys: uint64[n], of the decisions.

    Attributes:
        models: shadow -> the models that voted, `variant@version`.
    """

    def __init__(self, keys: UInt64) -> None:
        self.models: dict[Side, set[str]] = {}
        self._order = np.argsort(keys)
        self._keys = keys[self._order]
        self._answers: dict[str, Answers] = {}

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add a part."""
        wanted = np.array([row["decision_id"].int & _KEY for row in rows], np.uint64)
        places = np.searchsorted(self._keys, wanted).clip(max=self._keys.size - 1)
        for row, place, found in zip(
            rows, self._order[places], self._keys[places] == wanted, strict=True
        ):
            if found:
                self._keep(row, int(place))

    def answers(self) -> dict[str, Answers]:
        """Return the answers of each shadow, by name."""
        return dict(sorted(self._answers.items()))

    def _keep(self, row: Mapping[str, Any], place: int) -> None:
        name = row["shadow"]
        answers = self._answers.get(name)
        if answers is None:
            answers = self._answers[name] = _nothing(self._keys.size)
        assert answers.outcome is not None
        assert answers.degraded is not None
        votes = _votes(row["votes"])
        models = self.models.setdefault(Side("shadow", name), set())
        models.update(f"{v.variant.partition('@')[0]}@{v.version}" for v in votes if v.version)
        if row["probability"] is not None:
            answers.probability[place] = row["probability"]
            answers.outcome[place] = _OUTCOME[row["outcome"]]
        answers.elapsed_ms[place] = _or(row["elapsed_ms"], _NO_STAGE)
        answers.degraded[place] = any(vote.status != "ok" for vote in votes)


def _nothing(n: int) -> Answers:
    return Answers(
        np.full(n, np.nan),
        np.full(n, np.nan, np.float32),
        np.full(n, UNKNOWN, np.int8),
        np.zeros(n, np.bool_),
    )


def _kept(columns: Columns, buckets: int) -> Columns:
    if buckets == BUCKETS:
        return columns
    kept: Bool = (columns["customer"] & (BUCKETS - 1)) < buckets
    return {name: column[kept] for name, column in columns.items()}


def _cells(columns: Columns, name: str, kind: type[np.generic], n: int) -> NDArray[Any]:
    if name not in columns:
        columns[name] = np.full(n, np.nan, kind)
    return columns[name]


def _amount(text: str) -> float:
    payment = _payment(text)
    return float(payment.amount_minor / 10 ** EXPONENT[payment.currency])


def _label(is_fraud: bool | None) -> int:
    return UNKNOWN if is_fraud is None else int(is_fraud)


def _or(value: Any, otherwise: float) -> Any:
    return otherwise if value is None else value


def sorted_models(*found: Mapping[Side, Iterable[str]]) -> dict[Side, tuple[str, ...]]:
    """Return the models of all sides, each in order."""
    return {side: tuple(sorted(models)) for part in found for side, models in part.items()}
