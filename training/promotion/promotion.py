"""Promotion through the gates, and rollback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace

from deciding.plans.table import Offered, active_of, offer_plan
from deciding.plans.versions import PlanId
from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactRefused, Busy, NotFound
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.artifact import version_of
from models.store.alias import (
    CHAMPION,
    FORCED,
    NO_PLAN,
    PROMOTED,
    ROLLED_BACK,
    Alias,
    Move,
    moment,
)
from models.store.store import ArtifactStore
from settings.settings import Settings
from training.promotion.assessment import Assessor
from training.promotion.loaded_model import Loader
from training.promotion.result import Force, PromotionResult, apply_gates
from training.promotion.tenants import require_own_payments
from training.registry.aliases import align_mlflow, moved_aliases
from training.registry.locks import registry_lock
from training.registry.mlflow_registry import PLAN_FILE, Registry
from training.registry.owned_plan import owned_name, owned_plan
from training.registry.owner_plans import deciding, go_back, replaced_by

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Promoter:
    """Moves the champions of one owner: of the tenant of the settings, or of the house.

    Replicas follow the aliases in the store, so those move first and are authoritative. MLflow's
    aliases follow (`training.registry.aliases.align_mlflow`). Aliases that move together are all
    restored if one of them, or the plan, cannot be changed.

    Args:
        settings: database, tenant.
        store, registry: hold the models, and list them.
        lock: held while aliases move; not while gates are measured, which takes minutes.
        clock_s: seconds since 1970.
        for_every_tenant: the models become the house's, whichever tenant they learnt from.
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
        """A promoter with the lock that the settings provide."""
        return cls(
            settings,
            store,
            registry,
            lambda: registry_lock(settings),
            for_every_tenant=for_every_tenant,
        )

    @property
    def owner(self) -> str:
        """Whose champions move: a tenant's, or the house's (`HOUSE`)."""
        return HOUSE if self.for_every_tenant else self.settings.owner

    def promote(
        self, assessor: Assessor, variant: str, artifact: str, force: Force | None
    ) -> PromotionResult:
        """Make one version its variant's champion. The plan does not change: it uses the new
        version's calibrated score in place of the old one's.

        Raises:
            ArtifactRefused, NotFound: there is no such version.
            OtherTenant: the version learnt from another tenant's payments.
            Busy: the champion moved while the gates were measured.
        """
        version = self.store.resolve(variant, artifact, self.owner).version
        before = self._champion(variant)
        if before is not None and before.version == version:
            lag = self._align([variant])
            return PromotionResult(False, f"{variant} {version} is already the champion", lag=lag)
        self._require_own_payments({variant: version})
        challenger = assessor.load_version(variant, version)
        plan = deciding(self.settings, self.owner)
        assessment = assessor.assess_variant(challenger, plan, self.owner)
        result = apply_gates(assessment, force, f"{variant} {version}")
        if result.refused:
            return result
        move = self._move(challenger.digest, result, force)
        with self.lock():
            self._require_unmoved({variant: before})
            with self._moved({variant: move}):
                pass
            result.lag = self._align([variant])
        done = self._complete(result, {variant: before}, {variant: move}, f"{variant} {version}")
        if self.owner and (plan is None or owned_name(variant, self.owner) not in plan.variants):
            done.summary += f"; no active plan of {self.owner} asks it"
        return done

    def promote_run(self, assessor: Assessor, run: str, force: Force | None) -> PromotionResult:
        """Make all models of a training run champions and activate its plan; both or neither.

        Args:
            run: its MLflow id, or `latest`.

        Raises:
            NotFound: there is no such run, or it has no plan.
            OtherTenant: a model learnt from another tenant's payments.
            Busy: a champion moved while the gates were measured.
        """
        url = self._database_url()
        run_id, digests = self._models_of(run)
        trained = Plan.from_document(self.registry.document(run_id, PLAN_FILE))
        plan = owned_plan(trained, self.owner)
        active = active_of(self.settings, self.owner)
        before = {variant: self._champion(variant) for variant in digests}
        moves = {v for v, alias in before.items() if alias is None or alias.digest != digests[v]}
        if not moves and _is_active(plan, active):
            lag = self._align(digests)
            return PromotionResult(False, f"run {run_id} already serves, under its plan", lag=lag)
        versions = {v: version_of(digest) for v, digest in digests.items()}
        self._require_own_payments(versions)
        after = assessor.proposed_set(versions, plan, self.owner)
        now = assessor.serving_set(active or deciding(self.settings, self.owner))
        assessment = assessor.assess_run(after, now)
        result = apply_gates(assessment, force, f"run {run_id}")
        if result.refused:
            return result
        move = self._move("", result, force, run_id, replaced_by(plan, active, self.owner))
        wanted = {variant: replace(move, digest=digest) for variant, digest in digests.items()}
        with self.lock():
            self._require_unmoved(before)
            with self._moved(wanted):
                offered = Offered(plan if active is None else active, True)
                if active is None or not _is_active(plan, active):
                    offered = asyncio.run(offer_plan(url, plan, self.owner))
            result.lag = self._align(digests)
        if offered.decides:
            result.plan = {"name": offered.plan.name, "version": offered.plan.version}
        done = self._complete(result, before, wanted, f"run {run_id}")
        if not offered.decides:
            waits = PlanId(offered.plan.name, offered.plan.version)
            done.summary += f"; plan {offered.active} decides on, plan {waits} waits"
        return done

    def roll_back(self, variant: str, load: Loader, to: str | None) -> PromotionResult:
        """Restore the champion before the last promotion; the plan does not change.

        A second rollback does nothing until another version has been promoted.

        Args:
            load: loads a model into the serving runtime.
            to: a version that was champion before; None for the previous one.

        Raises:
            NotFound: there is no champion or none before it, or `to` was never champion.
            ArtifactRefused: the version would not serve.
        """
        with self.lock():
            alias = self._champion(variant)
            if alias is None:
                raise NotFound(
                    f"{variant} has no champion: `quorum models list` shows its versions"
                )
            last = alias.moves[-1] if alias.moves else None
            if to is None and last is not None and last.how == ROLLED_BACK:
                lag = self._align([variant])
                summary = f"{variant} is already rolled back to {alias.version}; --to goes further"
                return PromotionResult(False, summary, lag=lag)
            digest = _former_digest(variant, alias, to)
            if digest == alias.digest:
                lag = self._align([variant])
                return PromotionResult(
                    False, f"{variant} {alias.version} is already the champion", lag=lag
                )
            self._require_servable(variant, digest, load)
            move = Move(digest, moment(self.clock_s()), ROLLED_BACK)
            with self._moved({variant: move}):
                pass
            lag = self._align([variant])
        result = PromotionResult(True, "", lag=lag)
        return self._complete(result, {variant: alias}, {variant: move}, variant)

    def roll_back_run(self, load: Loader) -> PromotionResult:
        """Undo the last promotion of a whole run, or the last training that made champions: restore
        its variants' previous champions and the previous plan; both or neither. After a tenant's
        first run that is the house's plan, and the tenant's champions wait.

        Raises:
            NotFound: no run was promoted, or nothing preceded it.
            ArtifactRefused: a previous model would not serve.
        """
        with self.lock():
            aliases = self._champions()
            run, last = _last_run(aliases)
            if last.how == ROLLED_BACK:
                lag = self._align(aliases)
                return PromotionResult(False, f"run {run} is already rolled back", lag=lag)
            at = moment(self.clock_s())
            before = {v: a for v, a in aliases.items() if a.moves and a.moves[-1].run == run}
            moves = {}
            for variant, alias in before.items():
                if last.plan_before == NO_PLAN and len(alias.moves) == 1:
                    digest = alias.digest  # no plan asks it any more, and its pool goes on running
                else:
                    digest = _former_digest(variant, alias, None)
                    self._require_servable(variant, digest, load)
                moves[variant] = Move(digest, at, ROLLED_BACK, run=run)
            with self._moved(moves):
                if last.plan_before is not None:
                    go_back(self._database_url(), self.owner, last.plan_before)
            lag = self._align(before)
        result = PromotionResult(True, "", lag=lag)
        if last.plan_before not in (None, NO_PLAN):
            result.plan = dict(zip(("name", "version"), last.plan_before, strict=True))
        done = self._complete(result, before, moves, f"run {run}")
        if last.plan_before == NO_PLAN:
            done.summary += f", the house's plan decides for {self.owner}"
        return done

    def _require_own_payments(self, versions: Mapping[str, str]) -> None:
        """Raises OtherTenant. Unreadable versions are left to the gates."""
        if self.for_every_tenant:
            return
        tenants: dict[str, str | None] = {}
        for variant, version in versions.items():
            with suppress(ArtifactRefused):
                tenants[variant] = self.store.manifest(variant, version)[0].tenant
        require_own_payments(self.store, self.owner, self.settings.home_tenant, tenants)

    def _moved(self, moves: Mapping[str, Move]) -> AbstractContextManager[tuple[str, ...]]:
        return moved_aliases(self.store, CHAMPION, moves, self.owner)

    def _align(self, variants: Iterable[str]) -> str | None:
        return align_mlflow(self.registry, self.store, variants, self.owner)

    def _models_of(self, run: str) -> tuple[str, dict[str, str]]:
        """The id of a run and the digest of each of its variants."""
        run_id = run
        if run == LATEST:
            tenant = self.settings.tenant
            newest = self.registry.newest_run({"schema_id": SCHEMA_ID, "tenant": tenant})
            if newest is None:
                raise NotFound(
                    f"tenant {tenant} has no training run on the served features:"
                    " `quorum train` makes one"
                )
            run_id = newest.run_id
        digests = {v.variant: v.digest for v in self.registry.versions_of(run_id)}
        if not digests:
            raise NotFound(
                f"there are no models of a training run {run_id}: `quorum models list` names runs"
            )
        return run_id, digests

    def _move(
        self,
        digest: str,
        result: PromotionResult,
        force: Force | None,
        run: str | None = None,
        plan_before: tuple[str, int] | None = None,
    ) -> Move:
        at = moment(self.clock_s())
        if result.forced and force is not None:
            overruled = f"{force.reason.strip()} (overruled: {', '.join(result.forced)})"
            return Move(digest, at, FORCED, overruled, run, plan_before)
        return Move(digest, at, PROMOTED, run=run, plan_before=plan_before)

    def _require_servable(self, variant: str, digest: str, load: Loader) -> None:
        version = version_of(digest)
        manifest, _ = self.store.manifest(variant, version)
        if not manifest.columns and manifest.schema_id != SCHEMA_ID:
            raise ArtifactRefused(
                f"{variant} {version} uses features {manifest.schema_id}, but {SCHEMA_ID} is"
                " served: replicas would refuse it"
            )
        load(self.store.fetch(variant, version, digest), digest)

    def _champions(self) -> dict[str, Alias]:
        found = {v: self._champion(v) for v in self.store.variants()}
        return {variant: alias for variant, alias in found.items() if alias is not None}

    def _champion(self, variant: str) -> Alias | None:
        return self.store.alias(variant, CHAMPION, self.owner)

    def _require_unmoved(self, before: Mapping[str, Alias | None]) -> None:
        """Raise Busy if another process moved a champion while the gates were measured."""
        for variant, alias in before.items():
            if self._champion(variant) != alias:
                raise Busy(f"another process moved the champion of {variant}: try again")

    def _database_url(self) -> str:
        if self.settings.database_url is None:
            raise NotFound("a run's plan needs a database: set DATABASE_URL")
        return self.settings.database_url.get_secret_value()

    @staticmethod
    def _complete(
        result: PromotionResult,
        before: Mapping[str, Alias | None],
        moves: Mapping[str, Move],
        what: str,
    ) -> PromotionResult:
        result.done = True
        for variant, move in moves.items():
            alias = before[variant]
            was = None if alias is None else alias.version
            if was != move.version:
                result.moved[variant] = {"from": was, "to": move.version}
        how = next(iter(moves.values())).how
        plan = result.plan
        under = "" if plan is None else f", plan {plan['name']} v{plan['version']} decides"
        result.summary = f"{what} {how}{under}"
        return result


def _former_digest(variant: str, alias: Alias, to: str | None) -> str:
    """The digest of the previous champion, or of the former champion `to`."""
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
    """The run of the newest champion move of a whole run, and that move."""
    moves = [a.moves[-1] for a in aliases.values() if a.moves and a.moves[-1].run is not None]
    if not moves:
        raise NotFound("no champion comes from the promotion of a whole run")
    newest = max(moves, key=lambda move: move.at)
    return str(newest.run), newest


def _is_active(plan: Plan, active: Plan | None) -> bool:
    return active is not None and replace(plan, version=active.version) == active
