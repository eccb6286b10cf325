"""Cascade: cheap models decide the clear cases, accurate ones the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fraud.asking import Asking, Rows, Run, taken
from fraud.combine.combine import probability_of_votes
from fraud.ensemble import Ensemble, Settled
from fraud.policy.interface import Policy, step

MOST_STAGES = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """An ensemble, and the rows that it is sure of.

    Attributes:
        ensemble: is asked about the rows that the stages before it left.
        settle_below: it decides rows with a probability below this, in [0, 1].
        settle_from: it decides rows with a probability from here on, in [0, 1]; None: none.
    """

    ensemble: Ensemble
    settle_below: float = 0.0
    settle_from: float | None = None


@dataclass(frozen=True, slots=True)
class Cascade:
    """Asks one ensemble after the other, each about the rows that those before it are not sure of
    (Viola and Jones 2001). The last one decides all that are left.

    A row on which no member of a stage votes goes on to the next stage. A variant that an earlier
    stage has asked about a row is not asked again: its vote counts.

    Attributes:
        stages: two or more.
    """

    kind: ClassVar[str] = "cascade"
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if len(self.stages) < 2:
            raise ValueError("stages: expected two or more")
        for stage in self.stages[:-1]:
            if stage.settle_from is not None and not stage.settle_below <= stage.settle_from:
                raise ValueError("stages: expected settle_below <= settle_from")

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """See `Policy`."""
        settled: list[Settled] = []
        before: tuple[str, ...] = ()
        for (name, _), stage in zip(self.children(), self.stages, strict=True):
            [group] = yield from stage.ensemble.run(asking, rows, step(arm, name))
            new = [variant for variant in group.asked if variant not in before]
            before = (*before, *new)
            group = replace(group, asked=before)
            if stage is self.stages[-1]:
                return [*settled, group]
            sure = _sure(stage, asking, rows)
            if sure.any():
                settled.append(replace(group, rows=taken(rows, np.flatnonzero(sure))))
            if sure.all():
                return settled
            rows = taken(rows, np.flatnonzero(~sure))
        raise AssertionError("the last stage decides")

    def children(self) -> Sequence[tuple[str, Policy]]:
        """See `Policy`."""
        return [(f"stage {i}", stage.ensemble) for i, stage in enumerate(self.stages, start=1)]

    def mapped(self, change: Callable[[Any], Any]) -> Cascade:
        """See `Policy`."""
        stages = tuple(replace(stage, ensemble=change(stage.ensemble)) for stage in self.stages)
        return replace(self, stages=stages)

    def to_document(self) -> dict[str, Any]:
        """See `Policy`."""
        return {"kind": self.kind, "stages": [_stage_document(stage) for stage in self.stages]}


def _sure(stage: Stage, asking: Asking, rows: Rows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """bool[m]: which of `rows` a stage decides."""
    n = len(asking.batch) if rows is None else len(rows)
    votes = asking.votes.votes(stage.ensemble.voters, rows)
    probability = probability_of_votes(stage.ensemble, votes, n)
    sure = probability < stage.settle_below  # False where NaN
    if stage.settle_from is not None:
        sure |= probability >= stage.settle_from
    return sure


def _stage_document(stage: Stage) -> dict[str, Any]:
    document: dict[str, Any] = {"plan": stage.ensemble.to_document()}
    if stage.settle_below:
        document["settle_below"] = stage.settle_below
    if stage.settle_from is not None:
        document["settle_from"] = stage.settle_from
    return document
