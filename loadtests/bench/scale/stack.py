"""Runs Quorum with other numbers of replicas and variants, and puts it back afterwards."""

from __future__ import annotations

import asyncio
import copy
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import yaml

from cluster.node.node import Node
from deciding.plans.table import activate_plan, active_plan, reactivate_plan
from fraud.ensemble import Member
from fraud.plan import Plan
from models.artifact import read_manifest, version_of, write_manifest
from models.store.alias import CHAMPION, Alias
from models.store.location import store_of
from settings.settings import Settings
from stores.statements import statement

PLAN = "bench-scale"
_COPY_OF = "xgboost"
_DEPLOY_S = 400
_PLAN_S = 5.0
"""Longer than any combiner needs to notice that another plan is active."""

_FORGET = statement("loadtests/bench/scale/forget_plans.sql")

Applications = list[dict[str, Any]]


def with_replicas(applications: Applications, replicas: int) -> Applications:
    """Return the applications with a fixed size for each variant's pool."""
    found = copy.deepcopy(applications)
    for application in found:
        if application["name"].startswith("variant-"):
            for deployment in application["deployments"]:
                deployment.pop("autoscaling_config", None)
                deployment["num_replicas"] = replicas
    return found


def with_copies(applications: Applications, copies: Sequence[str]) -> Applications:
    """Return the applications and one more for each copy of a variant."""
    model = next(a for a in applications if a["name"] == f"variant-{_COPY_OF}")
    more = []
    for name in copies:
        application = copy.deepcopy(model)
        application["name"] = f"variant-{name}"
        application["args"] = {**application["args"], "variant": name, "artifact": CHAMPION}
        more.append(application)
    return [*copy.deepcopy(applications), *more]


def plan_of(plan: Plan, variants: int, version: int) -> tuple[Plan, tuple[str, ...]]:
    """Return a plan with `variants` variants, and the names of the copies among them. Those of
    `plan` come first, its anomaly variant last among them, then copies of one.

    Raises:
        ValueError: fewer than one.
    """
    own = plan.ensemble.members[:variants]
    anomaly = plan.ensemble.anomaly if variants > len(own) else None
    names = tuple(
        f"{_COPY_OF}-copy-{i + 1}" for i in range(variants - len(own) - (anomaly is not None))
    )
    members = (*own, *(Member(name, own[0].weight) for name in names))
    kind = "single" if len(members) == 1 else "ensemble"
    ensemble = replace(plan.ensemble, kind=kind, members=members, anomaly=anomaly, subsets=())
    return Plan(PLAN, version, ensemble), names


class Stack:
    """The Serve applications of a running Quorum.

    Args:
        settings: the settings of that Quorum.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def applications(self) -> Applications:
        """Return the applications as they were deployed."""
        found = Node.of(self._settings).dashboard.serve_details()["applications"]
        return [application["deployed_app_config"] for application in found.values()]

    def deploy(self, applications: Applications, config: Path) -> None:
        """Deploy these applications and wait until they decide.

        Args:
            applications: all applications to run.
            config: a Serve configuration for everything else.

        Raises:
            subprocess.CalledProcessError: they do not start; the reason is on stderr.
        """
        document = yaml.safe_load(config.read_text())
        document["applications"] = applications
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(document, file)
            file.flush()
            subprocess.run(
                [str(Path(sys.executable).with_name("quorum")), "deploy", "--config", file.name],
                check=True,
                timeout=_DEPLOY_S,
                stdout=subprocess.DEVNULL,
            )

    @contextmanager
    def restored(self, config: Path) -> Iterator[Applications]:
        """Yield the present applications, and deploy them again at the end."""
        before = self.applications()
        try:
            yield before
        finally:
            self.deploy(before, config)

    @contextmanager
    def plans(self) -> Iterator[Plan]:
        """Yield the active plan. At the end it is active again and plans made here are deleted."""
        plan = asyncio.run(active_plan(self._database_url))
        if plan is None:
            raise ValueError("no plan is active")
        try:
            yield plan
        finally:
            asyncio.run(reactivate_plan(self._database_url, plan.name, plan.version))
            asyncio.run(self._forget())

    def switch(self, plan: Plan) -> None:
        """Activate a plan, and wait until every combiner uses it."""
        asyncio.run(activate_plan(self._database_url, plan))
        time.sleep(_PLAN_S)

    @contextmanager
    def copies(self, names: Sequence[str]) -> Iterator[None]:
        """Make artifacts for copies of a variant, and remove them at the end.

        Raises:
            ValueError: the artifacts are not on this machine.
        """
        root = self._settings.artifacts
        if self._settings.artifacts_at is not None:
            raise ValueError("QUORUM_ARTIFACTS is set: copies need artifacts on this machine")
        try:
            for name in names:
                self._copy(root, name)
            yield
        finally:
            for name in names:
                shutil.rmtree(root / name, ignore_errors=True)

    def _copy(self, root: Path, name: str) -> None:
        store = store_of(self._settings)
        source = store.resolve(_COPY_OF, CHAMPION)
        folder = root / name / "being-copied"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(store.fetch(_COPY_OF, source.version, source.digest), folder)
        manifest, _ = read_manifest(folder)
        digest = write_manifest(folder, replace(manifest, variant=name))
        target = folder.with_name(version_of(digest))
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
        store.set_alias(name, CHAMPION, Alias(digest))

    async def _forget(self) -> None:
        connection = await asyncpg.connect(self._database_url)
        try:
            await connection.execute(_FORGET, PLAN)
        finally:
            await connection.close()

    @property
    def _database_url(self) -> str:
        if self._settings.database_url is None:
            raise ValueError("DATABASE_URL must be set")
        return self._settings.database_url.get_secret_value()
