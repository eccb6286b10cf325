"""A plan run over recorded decisions, and the figures of what comes out."""

from __future__ import annotations

import numpy as np

from deciding.simulation.figures import Counter, grouped
from deciding.simulation.ledger import SEGMENTS, Ledger
from deciding.simulation.models import Models
from deciding.simulation.result import Result, SegmentFigures, VoteFigures
from deciding.simulation.simulated import simulated
from deciding.simulation.votes import ABSENT, Voters
from decision_log.readers.recorded_decisions import RecordedDecisions
from fraud.plan import Plan
from models.drift import matured


class Simulation:
    """A plan run over recorded decisions, part by part. Pure: it reads nothing itself.

    Args:
        plan: is simulated.
        models: asked for votes that the records do not have; None: none is asked.
        asks: see `deciding.simulation.votes.ASKS`.
    """

    def __init__(self, plan: Plan, models: Models | None = None, asks: str = ABSENT) -> None:
        self._plan = plan
        self._models = models
        self._voters = Voters(models, asks)
        self._ledger = Ledger()

    def add(self, part: RecordedDecisions) -> None:
        """Simulate n >= 1 decisions."""
        self._ledger.add(part, simulated(self._plan, part, self._voters))

    def result(self, tenant: str, last: int, now_ms: int, *, is_complete: bool = True) -> Result:
        """Return the result so far.

        Args:
            now_ms: decides which labels are mature, milliseconds since the epoch.
        """
        ledger = self._ledger
        columns = ledger.columns()
        mature = np.zeros(len(columns.before), np.bool_)
        labelled = np.flatnonzero(~np.isnan(columns.fraud))
        mature[labelled] = matured(columns.decided_ms[labelled], columns.known_ms[labelled], now_ms)
        counter = Counter(columns, ledger.names("currency"), mature, self._plan.costs)
        every = np.arange(len(columns.before))
        plans = sorted(ledger.plans.items(), key=lambda item: -item[1])
        segments = {}
        for by in SEGMENTS:
            names = ledger.names(by)
            found = [
                SegmentFigures(names[code], counter.figures(rows))
                for code, rows in grouped(columns.codes[by], every)
            ]
            segments[by] = tuple(sorted(found, key=lambda s: (-s.figures.decisions, s.name)))
        return Result(
            plan=self._plan.name,
            plan_version=self._plan.version,
            tenant=tenant,
            last=last,
            is_complete=is_complete,
            undecided=ledger.undecided,
            by_rules=ledger.by_rules,
            first_ms=ledger.first_ms,
            last_ms=ledger.last_ms,
            recorded_plans=tuple((name, version, n) for (name, version), n in plans),
            figures=counter.figures(every),
            flips=counter.flips(),
            segments=segments,
            votes=self._votes(),
            sample=tuple(ledger.sample()),
        )

    def _votes(self) -> tuple[VoteFigures, ...]:
        refused = {} if self._models is None else self._models.refused
        return tuple(
            VoteFigures(
                name,
                dict(count.recorded.most_common()),
                dict(count.asked.most_common()),
                dict(count.missing.most_common()),
                refused.get(name, ""),
            )
            for name, count in self._voters.counts.items()
        )
