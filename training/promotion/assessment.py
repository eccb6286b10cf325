"""Putting challengers through the gates of promotion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from features.definitions import SCHEMA_ID
from fraud.ensemble import Ensemble
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from fraud.variant import HOUSE, base_variant
from models.store.alias import CHAMPION
from models.store.store import ArtifactStore
from settings.settings import Settings
from training.evaluate.baselines import one_rule
from training.fit.ensemble import ensemble_probability
from training.metrics.cases import renumbered
from training.metrics.paired import Difference, paired_difference
from training.metrics.reliability import reliability
from training.promotion.gates import (
    CALIBRATION,
    ENSEMBLE,
    LATENCY,
    NOT_WORSE,
    SKILL,
    GateConfig,
    GateResult,
    calibration_gate,
    golden_gate,
    latency_gate,
    not_applicable,
    not_measured,
    not_worse_gate,
    schema_gate,
    size_gate,
    skill_gate,
)
from training.promotion.loaded_model import (
    LoadedModel,
    Loader,
    load_alias,
    load_named,
    load_version,
    p50_ms,
)
from training.promotion.recent_weeks import RecentPayments, learnt_until_ms, read_recent_payments
from training.registry.owned_plan import owned_name, owned_plan
from training.sets.schema import FeatureSchema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServingSet:
    """The versions that a plan combines, either serving now or proposed.

    Attributes:
        versions: name in the plan, such as `mine/xgboost` -> the model behind it.
        plan: None: no plan.
    """

    versions: Mapping[str, LoadedModel]
    plan: Plan | None

    def rival(self, name: str) -> LoadedModel | None:
        """The model behind a name, else one of the same variant: a tenant's first model is compared
        with the house's, which decides so far."""
        return _of_variant(self.versions, name)


@dataclass(slots=True)
class Assessment:
    """The gate results of challengers.

    Attributes:
        gates: in reading order.
        figures: variant or `ensemble` -> `challenger` and `champion` -> figures on the newest
            labelled weeks; {} if nothing could be measured.
        recent: those weeks as `start`, `end`, `rows`, `frauds`; None without any.
    """

    gates: list[GateResult] = field(default_factory=list)
    figures: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    recent: dict[str, object] | None = None

    @property
    def failed(self) -> list[GateResult]:
        """The gates that failed."""
        return [gate for gate in self.gates if not gate.passed]

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "gates": [gate.document() for gate in self.gates],
            "figures": self.figures,
            "ground": self.recent,
        }


@dataclass(frozen=True, slots=True)
class Assessor:
    """Puts challengers through the gates.

    Args:
        settings: tenant, database and cache.
        store: holds the models.
        load: loads a model into the serving runtime.
        config: the limits.
        progress: called with rows done and total rows while features are computed.
    """

    settings: Settings
    store: ArtifactStore
    load: Loader
    config: GateConfig
    progress: Callable[[int, int], None]

    def serving_set(self, plan: Plan | None) -> ServingSet:
        """The champions of the variants that decide under the plan, and that replicas can load."""
        names = plan.deciding_variants if plan is not None else ()
        loaded = {name: load_named(self.store, name, self.load) for name in names}
        return ServingSet({n: c for n, c in loaded.items() if c is not None and _serves(c)}, plan)

    def proposed_set(self, versions: Mapping[str, str], plan: Plan, owner: str) -> ServingSet:
        """Versions of variants, and the plan over them as an owner's champions."""
        loaded = {
            owned_name(v, owner): self.load_version(v, version) for v, version in versions.items()
        }
        return ServingSet(loaded, owned_plan(plan, owner))

    def load_version(self, variant: str, version: str) -> LoadedModel:
        """Load a version of a variant."""
        return load_version(self.store, variant, version, self.load)

    def recent_payments(self, models: Sequence[LoadedModel]) -> RecentPayments:
        """The newest labelled weeks that none of the models has learnt from.

        Raises:
            NotTrainable: too few labelled payments, or a manifest does not state which ones its
                model has learnt from.
            OSError, asyncpg.PostgresError: the database does not answer.
        """
        ends = [learnt_until_ms(model.manifest) for model in models]
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            raise NotTrainable("a manifest does not state which payments its model has learnt from")
        config = self.config
        return read_recent_payments(
            self.settings, config.weeks, max(known), config.min_frauds, self.progress
        )

    def assess_variant(
        self, challenger: LoadedModel, plan: Plan | None, owner: str = HOUSE
    ) -> Assessment:
        """Assess a challenger that would replace an owner's champion.

        Without a champion of its own, a tenant's challenger is compared with the house's.

        Args:
            plan: decides for the owner now.
        """
        found = Assessment()
        variant = challenger.variant
        serving = self.serving_set(plan)
        champion = self._champion(variant, owner)
        name = owned_name(variant, owner)
        if name not in serving.versions:
            name = owned_name(variant, HOUSE)
        rivals = dict(serving.versions)
        self._technical_gates(challenger, champion, found)
        if champion is not None and _serves(champion):
            rivals[name] = champion
        recent = self._recent_payments(found, (challenger,), tuple(rivals.values()))
        if isinstance(recent, str):
            self._not_measured(found, variant, recent)
            return found
        proposed = challenger.scores(recent)
        scores = _scores(rivals, recent)
        self._statistical_gates(
            found, variant, proposed, scores.get(name), recent, challenger.is_probability
        )
        for arm, ensemble in plan.leaves() if plan is not None and scores else ():
            if name in ensemble.voters:
                before = _probability(ensemble, scores)
                swapped = _probability(ensemble, {**scores, name: proposed})
                what = f"{ENSEMBLE} {arm}".rstrip()
                if swapped is None:
                    self._not_measured(found, what, "a model that it requires cannot be loaded")
                    continue
                self._statistical_gates(found, what, swapped, before, recent, True)
        return found

    def assess_run(self, after: ServingSet, now: ServingSet) -> Assessment:
        """Assess a run whose variants and plan would replace all champions and their plan.

        The technical gates apply to each variant, the statistical ones to the plan's probability.
        """
        found = Assessment()
        for name, challenger in after.versions.items():
            self._technical_gates(challenger, now.rival(name), found)
        if after.plan is None:
            raise AssertionError("a run must have a plan")
        recent = self._recent_payments(
            found, tuple(after.versions.values()), tuple(now.versions.values())
        )
        if isinstance(recent, str):
            self._not_measured(found, ENSEMBLE, recent)
            return found
        proposed, serving = _scores(after.versions, recent), _scores(now.versions, recent)
        for name, scores in proposed.items():
            sides = {"challenger": scores, "champion": _of_variant(serving, name)}
            probability = after.versions[name].is_probability
            found.figures[base_variant(name)] = _figures(recent, sides, probability)
        before = None
        if now.plan is not None and serving:
            before = _probability(now.plan.control, serving)
        swapped = ensemble_probability(after.plan.control, proposed)
        self._statistical_gates(found, ENSEMBLE, swapped, before, recent, True)
        return found

    def _champion(self, variant: str, owner: str) -> LoadedModel | None:
        """The owner's champion; the house's if the owner has none."""
        own = load_alias(self.store, variant, CHAMPION, self.load, owner)
        if own is not None or owner == HOUSE:
            return own
        return load_alias(self.store, variant, CHAMPION, self.load)

    def _technical_gates(
        self, challenger: LoadedModel, champion: LoadedModel | None, found: Assessment
    ) -> None:
        """Run the gates that cannot be forced."""
        name = challenger.variant
        found.gates.append(schema_gate(name, challenger.manifest.schema_id, SCHEMA_ID))
        found.gates.append(golden_gate(name, challenger.refused))
        if challenger.model is None:
            found.gates.append(not_measured(LATENCY, name, "the model cannot be loaded"))
        else:
            timed = {"challenger": challenger}
            if champion is not None and champion.model is not None:
                timed["champion"] = champion
            took = p50_ms(timed)
            found.gates.append(
                latency_gate(name, took["challenger"], took.get("champion"), self.config)
            )
        found.gates.append(size_gate(name, challenger.size_bytes, self.config))

    def _recent_payments(
        self,
        found: Assessment,
        challengers: tuple[LoadedModel, ...],
        others: tuple[LoadedModel, ...],
    ) -> RecentPayments | str:
        """The newest labelled weeks, or why nothing can be measured."""
        unfit = [c.variant for c in challengers if c.model is None]
        if unfit:
            return f"{unfit[0]} cannot be loaded"
        if any(c.manifest.schema_id != SCHEMA_ID for c in challengers):
            return "the model uses other features than are served"
        try:
            recent = self.recent_payments((*challengers, *others))
        except NotTrainable as error:
            return str(error)
        found.recent = recent.document()
        return recent

    def _not_measured(self, found: Assessment, subject: str, why: str) -> None:
        for name in (NOT_WORSE, SKILL, CALIBRATION):
            found.gates.append(not_measured(name, subject, why, forceable=True))

    def _statistical_gates(
        self,
        found: Assessment,
        subject: str,
        challenger: Float64,
        champion: Float64 | None,
        recent: RecentPayments,
        probability: bool,
    ) -> None:
        """Run the statistical gates on one pair of scores."""
        sides = {"challenger": challenger, "champion": champion}
        figures = found.figures[subject] = _figures(recent, sides, probability)
        if champion is None:
            found.gates.append(
                not_applicable(NOT_WORSE, subject, "there is no champion to compare with")
            )
        else:
            found.gates.append(self._not_worse(subject, challenger, champion, recent))
        if probability:
            found.gates.append(self._skill(subject, challenger, recent))
            error = figures["challenger"]["calibration_error"]
            table = reliability(challenger, recent.fraud, recent.cluster, self.config.seed)
            found.gates.append(calibration_gate(subject, error, table, self.config))
        else:
            for name in (SKILL, CALIBRATION):
                found.gates.append(
                    not_applicable(name, subject, "an anomaly score is not a probability")
                )

    def _skill(self, subject: str, challenger: Float64, recent: RecentPayments) -> GateResult:
        resamples, seed = self.config.resamples, self.config.seed
        try:
            over_chance = paired_difference(
                challenger,
                np.zeros(len(recent)),
                recent.fraud,
                recent.cluster,
                "roc_auc",
                resamples=resamples,
                seed=seed,
            )
        except NotTrainable as error:
            return not_measured(SKILL, subject, str(error), forceable=True)
        return skill_gate(subject, over_chance, self._over_one_rule(challenger, recent))

    def _over_one_rule(self, challenger: Float64, recent: RecentPayments) -> Difference | None:
        """Compare, on the newer half, with the single column that ranks the older half best."""
        half = _middle(recent.fraud)
        fraud = recent.fraud.astype(np.float64)
        if min(fraud[:half].sum(), fraud[half:].sum()) < self.config.min_frauds / 2:
            return None
        schema = FeatureSchema.served()
        try:
            rule = one_rule(
                recent.values[:half],
                fraud[:half],
                schema.names,
                schema.categorical,
                seed=self.config.seed,
            )
            return paired_difference(
                challenger[half:],
                rule.score(recent.values[half:]),
                fraud[half:],
                renumbered(recent.cluster[half:]),
                resamples=self.config.resamples,
                seed=self.config.seed,
            )
        except (ValueError, NotTrainable):
            return None

    def _not_worse(
        self, subject: str, challenger: Float64, champion: Float64, recent: RecentPayments
    ) -> GateResult:
        try:
            difference = paired_difference(
                challenger,
                champion,
                recent.fraud,
                recent.cluster,
                resamples=self.config.resamples,
                seed=self.config.seed,
            )
        except NotTrainable as error:
            return not_measured(NOT_WORSE, subject, str(error), forceable=True)
        return not_worse_gate(subject, difference, self.config)


def _middle(fraud: Float32) -> int:
    """The row before which half of the frauds lie."""
    at = np.flatnonzero(fraud > 0)
    return int(at[at.size // 2]) if at.size else 0


def _serves(champion: LoadedModel) -> bool:
    """Whether replicas would load it; a champion that they refuse is no standard of comparison."""
    return champion.model is not None and champion.manifest.schema_id == SCHEMA_ID


def _of_variant(by_name: Mapping[str, T], name: str) -> T | None:
    """The entry of a name, else the first of the same variant."""
    if name in by_name:
        return by_name[name]
    variant = base_variant(name)
    return next((v for other, v in by_name.items() if base_variant(other) == variant), None)


def _probability(ensemble: Ensemble, scores: Mapping[str, Float64]) -> Float64 | None:
    """An ensemble's probabilities float64[n]; None if rules would decide for lack of models."""
    probability = ensemble_probability(ensemble, scores)
    return probability if np.isfinite(probability).all() else None


def _scores(versions: Mapping[str, LoadedModel], recent: RecentPayments) -> dict[str, Float64]:
    return {variant: loaded.scores(recent) for variant, loaded in versions.items()}


def _figures(
    recent: RecentPayments, sides: Mapping[str, Float64 | None], probability: bool
) -> dict[str, dict[str, float]]:
    return {
        side: recent.figures(np.asarray(scores), probability)
        for side, scores in sides.items()
        if scores is not None
    }
