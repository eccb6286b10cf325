"""History for an empty Quorum: payments of the seeded generator, loaded like any file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.home.connection import database, database_url
from stores.statements import statement

if TYPE_CHECKING:
    from settings.settings import Settings

_DAY_MS = 86_400_000
_LAYOUT = "canonical"


@dataclass(frozen=True, slots=True)
class Scale:
    """Size of the generated history: customers, each with about one payment a day, and days until
    now."""

    customers: int
    days: int
    seed: int = 0


def history_missing(settings: Settings) -> bool:
    """Return whether the tenant has no payments, or only a part of the generated ones."""
    has_any, unfinished = asyncio.run(_state(settings))
    return not has_any or (unfinished and _file(settings).exists())


def make_history(
    settings: Settings, scale: Scale, note: Callable[[str], None] = lambda _: None
) -> int:
    """Generate payments and load them. After a killed run it continues where that stopped.

    Returns:
        The number of payments loaded by this run.
    """
    from data.load.loader import load_file

    path = _file(settings)
    if not path.exists():
        _generate(path, scale, note)
    report = asyncio.run(
        load_file(
            database_url(settings),
            path,
            _LAYOUT,
            tenant=settings.tenant,
            rejects=settings.home / "rejects" / f"{path.name}.rejected.csv",
            progress=lambda done, share: note(f"loading {share:.0%}, {done.rows:,} rows"),
        )
    )
    return report.loaded


def _generate(path: Path, scale: Scale, note: Callable[[str], None]) -> None:
    from data.generator import GeneratorSpec, write

    end_ms = time.time_ns() // 1_000_000_000 * 1000
    spec = GeneratorSpec(
        customers=scale.customers,
        start_ms=end_ms - scale.days * _DAY_MS,
        end_ms=end_ms,
        seed=scale.seed,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"draft-{path.name}")
    write(spec, draft, lambda done, share: note(f"generating {share:.0%}, {done.rows:,} rows"))
    draft.replace(path)


def _file(settings: Settings) -> Path:
    return settings.home / "data" / "history.parquet"


async def _state(settings: Settings) -> tuple[bool, bool]:
    async with database(settings) as connection:
        row = await connection.fetchrow(statement("cluster/sql/history_state.sql"), settings.tenant)
        return row["has_any"], row["unfinished"]
