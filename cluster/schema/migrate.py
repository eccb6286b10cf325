"""Brings the schema up to date: SQL files of `cluster/migrations`, each once, in order.

A file is `<number>_<name>.<phase>.sql`. Phase `pre` only adds, so that it can run before a
roll-out while the old release still serves; `post` removes what no release needs any more, after
it. Each file runs in a transaction of its own together with its entry in `schema_migrations`, one
at a time and once, however many runners start. An applied file that has changed since stops
everything.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from cluster.errors import CommandFailed

if TYPE_CHECKING:
    import asyncpg

Phase = Literal["pre", "post", "all"]

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.(pre|post)\.sql")
# One number for all runners of all releases; any constant nobody else uses would do.
_LOCK = 0x51554F52554D
_LOCK_WAIT_S = 120
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    file       text        PRIMARY KEY,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    seconds    real        NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its name, number, phase (`pre` or `post`) and text."""

    file: str
    number: int
    phase: str
    sql: str

    @property
    def sha256(self) -> str:
        """Checksum of the text, hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did.

    Attributes:
        applied: files it applied, in order, with their seconds.
        present: how many of the chosen phase were applied before.
        unknown: applied by a newer release: not among our files.
    """

    applied: tuple[tuple[str, float], ...]
    present: int
    unknown: tuple[str, ...]


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """All migrations of a folder (None: the house's), in order: by number, `pre` before `post`.

    Raises:
        CommandFailed: a file's name is not `<number>_<name>.<phase>.sql`, or two files share a
            number and a phase.
    """
    folder = folder or files("cluster.schema") / "migrations"
    found = []
    for entry in folder.iterdir():
        if not entry.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(entry.name)
        if match is None:
            raise CommandFailed(
                f"migration {entry.name} is misnamed", "name it 0002_what_it_does.pre.sql"
            )
        text = entry.read_text(encoding="utf-8")
        found.append(Migration(entry.name, int(match[1]), match[2], text))
    found.sort(key=lambda m: (m.number, m.phase == "post", m.file))
    for one, other in pairwise(found):
        if (one.number, one.phase) == (other.number, other.phase):
            raise CommandFailed(
                f"migrations {one.file} and {other.file} share a number", "renumber the newer one"
            )
    return found


async def migrate(
    url: str, phase: Phase = "all", migrations: Sequence[Migration] | None = None
) -> Outcome:
    """Apply what is missing.

    Args:
        url: `postgresql://` URL of a role that may create tables.
        phase: which files to apply.
        migrations: None: those of the house.

    Raises:
        CommandFailed: an applied file changed, a file fails (nothing of it stays), or another
            runner holds the lock for two minutes.
        OSError, asyncpg.PostgresError: no connection.
    """
    from stores.postgres.connect import connect

    migrations = read_migrations() if migrations is None else migrations
    connection = await connect(url)
    try:
        async with _alone(connection):
            await connection.execute(_LEDGER)
            done = await _done(connection)
            _refuse_changed(migrations, done)
        return await _apply_missing(connection, migrations, phase, done)
    finally:
        await connection.close()


async def pending(url: str) -> list[str]:
    """Names of the files that are not applied yet; changes nothing."""
    from stores.postgres.connect import connect

    connection = await connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
            return [m.file for m in read_migrations()]
        rows = await connection.fetch("SELECT file FROM schema_migrations")
        done = {row["file"] for row in rows}
        return [m.file for m in read_migrations() if m.file not in done]
    finally:
        await connection.close()


def _refuse_changed(migrations: Sequence[Migration], done: dict[str, str]) -> None:
    changed = [m.file for m in migrations if done.get(m.file, m.sha256) != m.sha256]
    if changed:
        raise CommandFailed(
            f"applied migration changed since: {', '.join(changed)}",
            "restore the file and put the change into a new one",
        )


async def _apply_missing(
    connection: asyncpg.Connection,
    migrations: Sequence[Migration],
    phase: Phase,
    done: dict[str, str],
) -> Outcome:
    chosen = [m for m in migrations if phase in ("all", m.phase)]
    missing = [m for m in chosen if m.file not in done]
    seconds = [(m.file, await _apply(connection, m)) for m in missing]
    applied = [(file, took) for file, took in seconds if took is not None]
    unknown = sorted(set(done) - {m.file for m in migrations})
    return Outcome(tuple(applied), len(chosen) - len(applied), tuple(unknown))


async def _apply(connection: asyncpg.Connection, migration: Migration) -> float | None:
    """Seconds that it took; None: another runner has applied it meanwhile."""
    import asyncpg

    try:
        async with _alone(connection):
            done = await _done(connection)
            _refuse_changed([migration], done)
            if migration.file in done:
                return None
            started = time.monotonic()
            # A change of a table that waits for a long query makes everybody else wait behind it.
            await connection.execute("SET LOCAL lock_timeout = '10s'")
            await connection.execute(migration.sql)
            seconds = time.monotonic() - started
            await connection.execute(
                "INSERT INTO schema_migrations (file, sha256, seconds) VALUES ($1, $2, $3)",
                migration.file,
                migration.sha256,
                seconds,
            )
    except asyncpg.PostgresError as error:
        raise CommandFailed(
            f"migration {migration.file}: {error}", "nothing of it was applied; correct it"
        ) from error
    return seconds


async def _done(connection: asyncpg.Connection) -> dict[str, str]:
    """Files that were applied, and their checksums."""
    rows = await connection.fetch("SELECT file, sha256 FROM schema_migrations")
    return {row["file"]: row["sha256"] for row in rows}


@asynccontextmanager
async def _alone(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """A transaction with the runners' lock, which ends with it."""
    import asyncpg

    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT_S}s'")
        try:
            await connection.execute("SELECT pg_advisory_xact_lock($1::bigint)", _LOCK)
        except asyncpg.LockNotAvailableError:
            raise CommandFailed(
                "another migration holds the lock", "wait for it or end its connection"
            ) from None
        yield
