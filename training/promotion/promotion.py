"""Which models serve: promotion through gates, and the way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from deciding.plans.table import activate_plan, active_of, reactivate_plan
from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactRefused, Busy, InvalidInput, NotFound
from fraud.plan import Plan
from models.store.alias import CHAMPION, FORCED, PROMOTED, ROLLED_BACK, Alias, Move, moment
from models.store.store import ArtifactStore
from settings.settings import Settings
from training.locks import registry_lock
from training.promotion.assessment import Assessment, Assessor, Side
from training.promotion.contestants import Load
from training.promotion.tenants import keep_other_tenants, tenant_of
from training.registry.champions import align, moving
from training.registry.mlflow_registry import PLAN_FILE, Registry

LATEST = "latest"


@dataclass(slots=True)
class Outcome:
    """What came of a promotion or a rollback.

    Attributes:
        done: something moved.
        said: what happened, or why nothing did, one sentence.
        moved: variant -> version before (None: there was no champion) and after.
        plan: the plan that was activated, `name` and `version`; None where it stayed.
        assessment: the gates; None where none had to be passed.
        forced: gates that were not passed, and were overruled.
        refused: gates kept it from moving.
        lag: why MLflow's aliases do not say so yet; None if they do.
    """

    done: bool
    said: str
    moved: dict[str, dict[str, str | None]] = field(default_factory=dict)
    plan: dict[str, Any] | None = None
    assessment: Assessment | None = None
    forced: list[str] = field(default_factory=list)
    refused: bool = False
    lag: str | None = None

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "done": self.done,
            "said": self.said,
            "moved": self.moved,
            "plan": self.plan,
            "refused": self.refused,
            "forced": self.forced,
            "mlflow_lag": self.lag,
            **({} if self.assessment is None else self.assessment.document()),
        }


@dataclass(frozen=True, slots=True)
class Force:
    """Statistical gates that are not passed are overruled, for a reason that is kept.

    Raises:
        InvalidInput: no reason.
    """

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise InvalidInput("--force needs a --reason, which is kept with the promotion")


@dataclass(frozen=True, slots=True)
class Promoter:
    """Moves champions.

    An alias in the store is what replicas follow, so it moves first and alone counts; MLflow's
    follows (`training.registry.champions.align`). Aliases that move together are put back together
    if the last of them, or the plan, does not.

    Args:
        settings: database, tenant.
        store, registry: where models lie, and where they are listed.
        for_every_tenant: models may take the place of another tenant's champions.
        clock_s: seconds since 1970.
        lock: held while aliases move; not while gates are measured, which takes minutes.
    """

    settings: Settings
    store: ArtifactStore
    registry: Registry
    lock: Callable[[], AbstractContextManager[None]]
    clock_s: Callable[[], float] = time.time
    for_every_tenant: bool = False

    @classmethod
    def of(
        cls,
        settings: Settings,
        store: ArtifactStore,
        registry: Registry,
        *,
        for_every_tenant: bool = False,
    ) -> Promoter:
        """With the lock that the settings make."""
        return cls(
            settings,
            store,
            registry,
            lambda: registry_lock(settings),
            for_every_tenant=for_every_tenant,
        )

    def promote(
        self, assessor: Assessor, variant: str, artifact: str, force: Force | None
    ) -> Outcome:
        """Let one version become its variant's champion. The plan stays: the version's calibrated
        score goes where the champion's went.

        Raises:
            ArtifactRefused, NotFound: there is no such version.
            OtherTenant: the champion is another tenant's.
            Busy: the champion moved while the gates were measured.
        """
        version = self.store.resolve(variant, artifact).version
        before = self._champion(variant)
        if before is not None and before.version == version:
            lag = align(self.registry, self.store, [variant])
            return Outcome(False, f"{variant} {version} is the champion already", lag=lag)
        self._keep_other_tenants({variant: version})
        challenger = assessor.enter(variant, version)
        assessment = assessor.variant(challenger, active_of(self.settings))
        verdict = _verdict(assessment, force, f"{variant} {version}")
        if verdict.refused:
            return verdict
        move = self._move(challenger.digest, verdict, force)
        with self.lock():
            self._unmoved({variant: before})
            with moving(self.store, CHAMPION, {variant: move}):
                pass
            verdict.lag = align(self.registry, self.store, [variant])
        return self._done(verdict, {variant: before}, {variant: move}, f"{variant} {version}")

    def promote_run(self, assessor: Assessor, run: str, force: Force | None) -> Outcome:
        """Let all models of a training run become champions and its plan the active one, both or
        neither.

        Args:
            run: MLflow's id of it, or `latest`.

        Raises:
            NotFound: no such run, or it has no plan.
            OtherTenant: a champion is another tenant's.
            Busy: a champion moved while the gates were measured.
        """
        url = self._database_url()
        run_id, digests = self._models_of(run)
        plan = Plan.from_document(self.registry.document(run_id, PLAN_FILE))
        active = active_of(self.settings)
        before = {variant: self._champion(variant) for variant in digests}
        moves = {v for v, alias in before.items() if alias is None or alias.digest != digests[v]}
        if not moves and _same(plan, active):
            lag = align(self.registry, self.store, digests)
            return Outcome(False, f"run {run_id} serves already, under its plan", lag=lag)
        self._keep_other_tenants({v: digest[:12] for v, digest in digests.items()})
        after = Side({v: assessor.enter(v, d[:12]) for v, d in digests.items()}, plan)
        now = assessor.serving(active)
        assessment = assessor.run(after, now)
        verdict = _verdict(assessment, force, f"run {run_id}")
        if verdict.refused:
            return verdict
        was = None if active is None else (active.name, active.version)
        move = self._move("", verdict, force, run_id, was)
        wanted = {variant: replace(move, digest=digest) for variant, digest in digests.items()}
        with self.lock():
            self._unmoved(before)
            with moving(self.store, CHAMPION, wanted):
                stored = active
                if stored is None or not _same(plan, stored):
                    stored = asyncio.run(activate_plan(url, plan))
            verdict.lag = align(self.registry, self.store, digests)
        verdict.plan = {"name": stored.name, "version": stored.version}
        return self._done(verdict, before, wanted, f"run {run_id}")

    def roll_back(self, variant: str, load: Load, to: str | None) -> Outcome:
        """Let the champion before the last promotion serve again; the plan stays.

        Once is enough: after a rollback there is nothing to do until something else is promoted.

        Args:
            load: into the runtime that serves.
            to: a version that was champion once; None for the one before.

        Raises:
            NotFound: no champion, or none before it, or `to` never was one.
            ArtifactRefused: it would not serve.
        """
        with self.lock():
            alias = self._champion(variant)
            if alias is None:
                raise NotFound(f"{variant} has no champion: `quorum models list` shows what is")
            last = alias.moves[-1] if alias.moves else None
            if to is None and last is not None and last.how == ROLLED_BACK:
                lag = align(self.registry, self.store, [variant])
                said = f"{variant} is rolled back to {alias.version} already; --to goes further"
                return Outcome(False, said, lag=lag)
            digest = _former(variant, alias, to)
            if digest == alias.digest:
                lag = align(self.registry, self.store, [variant])
                return Outcome(False, f"{variant} {alias.version} is the champion already", lag=lag)
            self._prove(variant, digest, load)
            move = Move(digest, moment(self.clock_s()), ROLLED_BACK)
            with moving(self.store, CHAMPION, {variant: move}):
                pass
            lag = align(self.registry, self.store, [variant])
        outcome = Outcome(True, "", lag=lag)
        return self._done(outcome, {variant: alias}, {variant: move}, variant)

    def roll_back_run(self, load: Load) -> Outcome:
        """Undo the last promotion of a whole run, or the last training that made champions: its
        variants go back, and the plan before it decides again; both or neither.

        Raises:
            NotFound: no run was promoted, or there was nothing before it.
            ArtifactRefused: a model of before would not serve.
        """
        with self.lock():
            aliases = self._champions()
            run, last = _last_run(aliases)
            if last.how == ROLLED_BACK:
                lag = align(self.registry, self.store, aliases)
                return Outcome(False, f"run {run} is rolled back already", lag=lag)
            at = moment(self.clock_s())
            before = {v: a for v, a in aliases.items() if a.moves and a.moves[-1].run == run}
            moves = {}
            for variant, alias in before.items():
                digest = _former(variant, alias, None)
                self._prove(variant, digest, load)
                moves[variant] = Move(digest, at, ROLLED_BACK, run=run)
            with moving(self.store, CHAMPION, moves):
                if last.plan_before is not None:
                    asyncio.run(reactivate_plan(self._database_url(), *last.plan_before))
            lag = align(self.registry, self.store, before)
        outcome = Outcome(True, "", lag=lag)
        if last.plan_before is not None:
            outcome.plan = dict(zip(("name", "version"), last.plan_before, strict=True))
        return self._done(outcome, before, moves, f"run {run}")

    def _keep_other_tenants(self, versions: Mapping[str, str]) -> None:
        """Raises OtherTenant. What cannot be read is for the gates to refuse."""
        if self.for_every_tenant:
            return
        tenants: dict[str, str | None] = {}
        for variant, version in versions.items():
            with suppress(ArtifactRefused):
                tenants[variant] = tenant_of(self.store.manifest(variant, version)[0])
        keep_other_tenants(self.store, tenants)

    def _models_of(self, run: str) -> tuple[str, dict[str, str]]:
        """A run's id, and the digest of each of its variants."""
        run_id = run
        if run == LATEST:
            tenant = self.settings.tenant
            newest = self.registry.newest_run({"schema_id": SCHEMA_ID, "tenant": tenant})
            if newest is None:
                raise NotFound(
                    f"tenant {tenant} has no training run of the served features:"
                    " `quorum train` makes one"
                )
            run_id = newest.run_id
        digests = {v.variant: v.digest for v in self.registry.versions_of(run_id)}
        if not digests:
            raise NotFound(f"no models of a training run {run_id}: `quorum models list` names runs")
        return run_id, digests

    def _move(
        self,
        digest: str,
        verdict: Outcome,
        force: Force | None,
        run: str | None = None,
        plan_before: tuple[str, int] | None = None,
    ) -> Move:
        at = moment(self.clock_s())
        if verdict.forced and force is not None:
            overruled = f"{force.reason.strip()} (overruled: {', '.join(verdict.forced)})"
            return Move(digest, at, FORCED, overruled, run, plan_before)
        return Move(digest, at, PROMOTED, run=run, plan_before=plan_before)

    def _prove(self, variant: str, digest: str, load: Load) -> None:
        version = digest[:12]
        manifest, _ = self.store.manifest(variant, version)
        if not manifest.columns and manifest.schema_id != SCHEMA_ID:
            raise ArtifactRefused(
                f"{variant} {version} sees features {manifest.schema_id}, and {SCHEMA_ID} is"
                " served: replicas would refuse it"
            )
        load(self.store.fetch(variant, version, digest), digest)

    def _champions(self) -> dict[str, Alias]:
        found = {v: self._champion(v) for v in self.store.variants()}
        return {variant: alias for variant, alias in found.items() if alias is not None}

    def _champion(self, variant: str) -> Alias | None:
        return self.store.alias(variant, CHAMPION)

    def _unmoved(self, before: Mapping[str, Alias | None]) -> None:
        """Refuse to move what another moved while the gates were measured."""
        for variant, alias in before.items():
            if self._champion(variant) != alias:
                raise Busy(f"another process moved the champion of {variant}: try again")

    def _database_url(self) -> str:
        if self.settings.database_url is None:
            raise NotFound("a run's plan needs a database: set DATABASE_URL")
        return self.settings.database_url.get_secret_value()

    @staticmethod
    def _done(
        outcome: Outcome, before: Mapping[str, Alias | None], moves: Mapping[str, Move], what: str
    ) -> Outcome:
        outcome.done = True
        for variant, move in moves.items():
            alias = before[variant]
            was = None if alias is None else alias.version
            if was != move.version:
                outcome.moved[variant] = {"from": was, "to": move.version}
        how = next(iter(moves.values())).how
        plan = outcome.plan
        under = "" if plan is None else f", plan {plan['name']} v{plan['version']} decides"
        outcome.said = f"{what} {how}{under}"
        return outcome


def _verdict(assessment: Assessment, force: Force | None, what: str) -> Outcome:
    """Whether it may move: every gate is passed, or those that are not may be forced and are."""
    failed = assessment.failed
    outcome = Outcome(False, "", assessment=assessment)
    outcome.forced = [f"{gate.name} of {gate.subject}" for gate in failed]
    if not failed or (force is not None and all(gate.forceable for gate in failed)):
        return outcome
    outcome.refused, outcome.forced = True, []
    names = ", ".join(f"{gate.name} of {gate.subject}" for gate in failed)
    hard = [gate.name for gate in failed if not gate.forceable]
    also = f"; nobody can force {', '.join(dict.fromkeys(hard))}" if force and hard else ""
    outcome.said = (
        f"{what} stays where it is: {len(failed)} of {len(assessment.gates)} gates not passed"
        f" ({names}){also}"
    )
    return outcome


def _former(variant: str, alias: Alias, to: str | None) -> str:
    """Digest of the champion before, or of the former one that is named."""
    former = [move.digest for move in alias.moves[:-1]]
    if to is not None:
        for digest in (alias.digest, *reversed(former)):
            if digest.startswith(to) and len(to) >= 12:
                return digest
        raise NotFound(f"{variant} {to} was never champion: `quorum models show {variant}`")
    if not former:
        raise NotFound(f"{variant} had no champion before {alias.version}")
    return former[-1]


def _last_run(aliases: Mapping[str, Alias]) -> tuple[str, Move]:
    """The run behind the newest champion move of a whole run, and that move."""
    moves = [a.moves[-1] for a in aliases.values() if a.moves and a.moves[-1].run is not None]
    if not moves:
        raise NotFound("no champion came from the promotion of a whole run")
    newest = max(moves, key=lambda move: move.at)
    return str(newest.run), newest


def _same(plan: Plan, active: Plan | None) -> bool:
    return active is not None and replace(plan, version=active.version) == active
