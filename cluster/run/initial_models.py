"""The first models: which are missing, and the training that makes them."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cluster.errors import CommandFailed
from cluster.home.connection import database

logger = logging.getLogger(__name__)

_CRASHES = {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL}
"""Exit codes of a process that native code of a library took down."""

if TYPE_CHECKING:
    from models.store.store import ArtifactStore
    from settings.settings import Settings


def variants_of(config: Mapping[str, Any]) -> set[str]:
    """Return the variants that a Serve configuration has pools of the house for."""
    arguments = (application.get("args") or {} for application in config["applications"])
    return {str(a["variant"]) for a in arguments if "variant" in a and not a.get("owner")}


def models_missing(settings: Settings, variants: set[str]) -> str | None:
    """Return why models must be trained before `variants` can serve; None if they need not be."""
    from features.definitions import SCHEMA_ID
    from models.store.location import store_of

    store = store_of(settings)
    for variant in sorted(variants):
        found = _schema_of_champion(store, variant)
        if found is None:
            return f"{variant} has no champion"
        if found != SCHEMA_ID:
            return f"{variant} was trained on other features"
    return None if asyncio.run(_has_plan(settings)) else "no plan is active"


def train_models(environment: Mapping[str, str]) -> dict[str, Any]:
    """Run `quorum train` in a process of its own, which gives its memory back at the end.

    Its progress goes to our stderr. If native code of a library crashes, which is rare and no
    fault of the data, training runs once more.

    Args:
        environment: environment of the process; RAY_ADDRESS names the Ray cluster.

    Returns:
        The training's report.

    Raises:
        CommandFailed: training failed, and has printed why; or a signal ended it.
    """
    done = _run_training(environment)
    if done.returncode in _CRASHES:
        logger.warning("training crashed (%s), and runs once more", _signal_name(done))
        done = _run_training(environment)
    if done.returncode < 0:
        raise CommandFailed(
            f"training was ended by {_signal_name(done)}", "`quorum train` runs it again"
        )
    if done.returncode != 0:
        raise CommandFailed("training failed, see above", "`quorum train` runs it again")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _run_training(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cluster.cli", "train", "--json"],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


def _signal_name(done: subprocess.CompletedProcess[str]) -> str:
    return signal.Signals(-done.returncode).name


def _schema_of_champion(store: ArtifactStore, variant: str) -> str | None:
    from fraud.errors import ArtifactRefused
    from models.store.alias import CHAMPION

    try:
        alias = store.alias(variant, CHAMPION)
        return None if alias is None else store.manifest(variant, alias.version)[0].schema_id
    except ArtifactRefused:
        return None


async def _has_plan(settings: Settings) -> bool:
    from deciding.plans.versions import read_active
    from fraud.variant import HOUSE

    async with database(settings) as connection:
        return await read_active(connection, HOUSE) is not None
