"""Putting challengers through the gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from features.definitions import SCHEMA_ID
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore
from settings.settings import Settings
from training.evaluate.baselines import one_rule
from training.metrics.paired import Difference, paired_difference
from training.metrics.said_seen import said_seen
from training.promotion.contestants import Contestant, Load, champion_of, enter, p50_ms, together
from training.promotion.gates import (
    CALIBRATION,
    ENSEMBLE,
    LATENCY,
    NOT_WORSE,
    SKILL,
    Gate,
    GateConfig,
    calibration_gate,
    golden_gate,
    latency_gate,
    not_worse_gate,
    schema_gate,
    size_gate,
    skill_gate,
    unmeasured,
    waved,
)
from training.promotion.recent_weeks import Ground, fitted_until_ms, read_ground
from training.sets.schema import FeatureSchema


@dataclass(frozen=True, slots=True)
class Side:
    """What would serve, or serves: a version of each variant, and the plan that they vote under
    (None: there is none)."""

    versions: Mapping[str, Contestant]
    plan: Plan | None


@dataclass(slots=True)
class Assessment:
    """The verdicts on challengers.

    Attributes:
        gates: in the order in which they are to be read.
        figures: variant, or `ensemble` -> `challenger` and `champion` -> figures on the newest
            labelled weeks; {} where none could be measured.
        ground: those weeks: `start`, `end`, `rows`, `frauds`; None if there are none.
    """

    gates: list[Gate] = field(default_factory=list)
    figures: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    ground: dict[str, object] | None = None

    @property
    def failed(self) -> list[Gate]:
        """Gates that were not passed."""
        return [gate for gate in self.gates if not gate.passed]

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "gates": [asdict(gate) for gate in self.gates],
            "figures": self.figures,
            "ground": self.ground,
        }


@dataclass(frozen=True, slots=True)
class Assessor:
    """Puts challengers through the gates.

    Args:
        settings: whose payments.
        store: where models lie.
        load: into the runtime that serves.
        config: limits.
        progress: told rows done and rows in all while features are made.
    """

    settings: Settings
    store: ArtifactStore
    load: Load
    config: GateConfig
    progress: Callable[[int, int], None]

    def serving(self, plan: Plan | None) -> Side:
        """The champions of the plan's variants."""
        found = {}
        for variant in plan.variants if plan is not None else ():
            champion = champion_of(self.store, variant, CHAMPION, self.load)
            if champion is not None and _serves(champion):
                found[variant] = champion
        return Side(found, plan)

    def enter(self, variant: str, version: str) -> Contestant:
        """A version of a variant, loaded."""
        return enter(self.store, variant, version, self.load)

    def variant(self, challenger: Contestant, plan: Plan | None) -> Assessment:
        """May it take its champion's place, under the plan as it is?"""
        found = Assessment()
        name = challenger.variant
        champion = champion_of(self.store, name, CHAMPION, self.load)
        self._hard(challenger, champion, found)
        now = self.serving(plan)
        if champion is not None and not _serves(champion):
            champion = None
        rivals = [*now.versions.values(), *([] if champion is None else [champion])]
        ground = self._ground(found, (challenger,), tuple(rivals))
        if isinstance(ground, str):
            self._without_ground(found, name, ground)
            return found
        challenged = challenger.scores(ground)
        against = None if champion is None else champion.scores(ground)
        self._contest(found, name, challenged, against, ground, challenger.is_probability)
        if plan is not None and name in {m.variant for m in plan.members} and now.versions:
            votes = self._votes(now, ground)
            swapped = together(plan, {**votes, name: challenged})
            before = together(plan, votes) if votes else None
            self._contest(found, ENSEMBLE, swapped, before, ground, True)
        return found

    def run(self, after: Side, now: Side) -> Assessment:
        """May all variants of a run and its plan take the place of all champions and theirs?

        Each variant has to be fit to serve; what has to be as good as before is what they say
        together.
        """
        found = Assessment()
        for name, challenger in after.versions.items():
            self._hard(challenger, now.versions.get(name), found)
        if after.plan is None:
            raise AssertionError("a run has a plan")
        ground = self._ground(found, tuple(after.versions.values()), tuple(now.versions.values()))
        if isinstance(ground, str):
            self._without_ground(found, ENSEMBLE, ground)
            return found
        challenged = self._votes(after, ground)
        serving = self._votes(now, ground)
        for name, scores in challenged.items():
            sides = {"challenger": scores, "champion": serving.get(name)}
            probability = after.versions[name].is_probability
            found.figures[name] = _figures(ground, sides, probability)
        before = together(now.plan, serving) if now.plan is not None and serving else None
        self._contest(found, ENSEMBLE, together(after.plan, challenged), before, ground, True)
        return found

    def _hard(self, challenger: Contestant, champion: Contestant | None, found: Assessment) -> None:
        """The gates that nobody can force."""
        name = challenger.variant
        found.gates.append(schema_gate(name, challenger.manifest.schema_id, SCHEMA_ID))
        found.gates.append(golden_gate(name, challenger.refused))
        if challenger.model is None:
            found.gates.append(unmeasured(LATENCY, name, "it cannot be loaded"))
        else:
            timed = {"challenger": challenger}
            if champion is not None and champion.model is not None:
                timed["champion"] = champion
            took = p50_ms(timed)
            found.gates.append(
                latency_gate(name, took["challenger"], took.get("champion"), self.config)
            )
        found.gates.append(size_gate(name, challenger.size_bytes, self.config))

    def _ground(
        self, found: Assessment, challengers: tuple[Contestant, ...], others: tuple[Contestant, ...]
    ) -> Ground | str:
        """The newest labelled weeks, or why there is no ground to judge on."""
        unfit = [c.variant for c in challengers if c.model is None]
        if unfit:
            return f"{unfit[0]} cannot be loaded"
        if any(c.manifest.schema_id != SCHEMA_ID for c in challengers):
            return "it sees other features than are served"
        ends = [fitted_until_ms(c.manifest) for c in (*challengers, *others)]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return "a manifest does not say which payments the model has learnt from"
        try:
            ground = read_ground(
                self.settings, self.config.weeks, max(known), self.config.min_frauds, self.progress
            )
        except NotTrainable as error:
            return str(error)
        found.ground = ground.document()
        return ground

    def _without_ground(self, found: Assessment, subject: str, why: str) -> None:
        for name in (NOT_WORSE, SKILL, CALIBRATION):
            found.gates.append(unmeasured(name, subject, why, forceable=True))

    def _votes(self, side: Side, ground: Ground) -> dict[str, Float64]:
        return {name: contestant.scores(ground) for name, contestant in side.versions.items()}

    def _contest(
        self,
        found: Assessment,
        subject: str,
        challenger: Float64,
        champion: Float64 | None,
        ground: Ground,
        probability: bool,
    ) -> None:
        """The gates of statistics, on one pair of scores."""
        sides = {"challenger": challenger, "champion": champion}
        figures = found.figures[subject] = _figures(ground, sides, probability)
        if champion is None:
            found.gates.append(waved(NOT_WORSE, subject, "there is no champion to be worse than"))
        else:
            found.gates.append(self._not_worse(subject, challenger, champion, ground))
        if probability:
            found.gates.append(self._skill(subject, challenger, ground))
            error = figures["challenger"]["calibration_error"]
            said = said_seen(challenger, ground.fraud, ground.cluster, self.config.seed)
            found.gates.append(calibration_gate(subject, error, said, self.config))
        else:
            for name in (SKILL, CALIBRATION):
                found.gates.append(waved(name, subject, "an anomaly score is no probability"))

    def _skill(self, subject: str, challenger: Float64, ground: Ground) -> Gate:
        resamples, seed = self.config.resamples, self.config.seed
        try:
            over_chance = paired_difference(
                challenger,
                np.zeros(len(ground)),
                ground.fraud,
                ground.cluster,
                "roc_auc",
                resamples=resamples,
                seed=seed,
            )
        except NotTrainable as error:
            return unmeasured(SKILL, subject, str(error), forceable=True)
        return skill_gate(subject, over_chance, self._over_one_rule(challenger, ground))

    def _over_one_rule(self, challenger: Float64, ground: Ground) -> Difference | None:
        """Against the single column that ranks the older half best, on the newer half."""
        half = _middle(ground.fraud)
        fraud = ground.fraud.astype(np.float64)
        if min(fraud[:half].sum(), fraud[half:].sum()) < self.config.min_frauds / 2:
            return None
        schema = FeatureSchema.served()
        try:
            rule = one_rule(
                ground.values[:half],
                fraud[:half],
                schema.names,
                schema.categorical,
                seed=self.config.seed,
            )
            return paired_difference(
                challenger[half:],
                rule.score(ground.values[half:]),
                fraud[half:],
                np.unique(ground.cluster[half:], return_inverse=True)[1].reshape(-1),
                resamples=self.config.resamples,
                seed=self.config.seed,
            )
        except (ValueError, NotTrainable):
            return None

    def _not_worse(
        self, subject: str, challenger: Float64, champion: Float64, ground: Ground
    ) -> Gate:
        try:
            difference = paired_difference(
                challenger,
                champion,
                ground.fraud,
                ground.cluster,
                resamples=self.config.resamples,
                seed=self.config.seed,
            )
        except NotTrainable as error:
            return unmeasured(NOT_WORSE, subject, str(error), forceable=True)
        return not_worse_gate(subject, difference, self.config)


def _middle(fraud: Float32) -> int:
    """Before which row half of the frauds lie."""
    at = np.flatnonzero(fraud > 0)
    return int(at[at.size // 2]) if at.size else 0


def _serves(champion: Contestant) -> bool:
    """Whether replicas would take it: one that they refuse is nobody to be held against."""
    return champion.model is not None and champion.manifest.schema_id == SCHEMA_ID


def _figures(
    ground: Ground, sides: Mapping[str, Float64 | None], probability: bool
) -> dict[str, dict[str, float]]:
    return {
        side: ground.figures(np.asarray(scores), probability)
        for side, scores in sides.items()
        if scores is not None
    }
