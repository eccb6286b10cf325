"""Brings the schema up to date: applies the SQL files of `migrations/`, each once, in order.

The files are named `<number>_<name>.<phase>.sql`. Phase `pre` only adds, so that it can run before
a roll-out, while the old release still serves. Phase `post` runs after it, and removes what no
release needs any more. Each file is applied in a transaction of its own, together with its entry in
`schema_migrations`; a lock makes runners take turns. If an applied file has changed since, nothing
more is applied.
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
from stores.statements import statement

if TYPE_CHECKING:
    import asyncpg

Phase = Literal["pre", "post", "all"]

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.(pre|post)\.sql")
# The same for all runners of all releases; the number has no meaning.
_LOCK = 0x51554F52554D
_LOCK_WAIT_S = 120


@dataclass(frozen=True, slots=True)
class Migration:
    """A file: its name, number, phase (`pre` or `post`) and text."""

    file: str
    number: int
    phase: str
    sql: str

    @property
    def sha256(self) -> str:
        """Checksum of the text, hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """The result of a run.

    Attributes:
        applied: files applied by this run, in order, with their seconds.
        present: number of files of the chosen phase that were applied before.
        unknown: applied files that we do not have: a newer release applied them.
    """

    applied: tuple[tuple[str, float], ...]
    present: int
    unknown: tuple[str, ...]


def read_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Return the migrations of a folder (None: ours) by number, `pre` before `post`.

    Raises:
        CommandFailed: a name is not `<number>_<name>.<phase>.sql`, or two files share a number and
            a phase.
    """
    folder = folder or files("cluster.schema") / "migrations"
    found = []
    for entry in folder.iterdir():
        if not entry.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(entry.name)
        if match is None:
            raise CommandFailed(
                f"migration {entry.name} has a wrong name",
                "expected a name like 0002_what_it_does.pre.sql",
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
) -> MigrationResult:
    """Apply the missing migrations.

    Args:
        url: `postgresql://` URL of a role that may create tables.
        phase: which files to apply.
        migrations: None: ours.

    Raises:
        CommandFailed: an applied file has changed, a file fails (it is rolled back), or another
            runner holds the lock for two minutes.
        OSError, asyncpg.PostgresError: PostgreSQL does not answer.
    """
    from stores.postgres.connect import connection

    migrations = read_migrations() if migrations is None else migrations
    async with connection(url) as session:
        async with _exclusive(session):
            await session.execute(statement("cluster/schema/schema_migrations.sql"))
            done = await _done(session)
            _refuse_changed(migrations, done)
        return await _apply_missing(session, migrations, phase, done)


async def pending(url: str) -> list[str]:
    """Return the names of the files that are not applied yet. Changes nothing."""
    from stores.postgres.connect import connection

    async with connection(url) as session:
        if await session.fetchval("SELECT to_regclass('schema_migrations')") is None:
            return [m.file for m in read_migrations()]
        rows = await session.fetch("SELECT file FROM schema_migrations")
        done = {row["file"] for row in rows}
        return [m.file for m in read_migrations() if m.file not in done]


def _refuse_changed(migrations: Sequence[Migration], done: dict[str, str]) -> None:
    changed = [m.file for m in migrations if done.get(m.file, m.sha256) != m.sha256]
    if changed:
        raise CommandFailed(
            f"these migrations have changed since they were applied: {', '.join(changed)}",
            "restore the files, and put the changes into a new one",
        )


async def _apply_missing(
    connection: asyncpg.Connection,
    migrations: Sequence[Migration],
    phase: Phase,
    done: dict[str, str],
) -> MigrationResult:
    chosen = [m for m in migrations if phase in ("all", m.phase)]
    missing = [m for m in chosen if m.file not in done]
    seconds = [(m.file, await _apply(connection, m)) for m in missing]
    applied = [(file, took) for file, took in seconds if took is not None]
    unknown = sorted(set(done) - {m.file for m in migrations})
    return MigrationResult(tuple(applied), len(chosen) - len(applied), tuple(unknown))


async def _apply(connection: asyncpg.Connection, migration: Migration) -> float | None:
    """Apply a file. Returns its seconds, None if another runner has applied it meanwhile."""
    import asyncpg

    try:
        async with _exclusive(connection):
            done = await _done(connection)
            _refuse_changed([migration], done)
            if migration.file in done:
                return None
            started = time.monotonic()
            # A change of a table that waits for a long query blocks all later queries.
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
            f"migration {migration.file}: {error}", "it was rolled back; correct it"
        ) from error
    return seconds


async def _done(connection: asyncpg.Connection) -> dict[str, str]:
    """Return the applied files and their checksums."""
    rows = await connection.fetch("SELECT file, sha256 FROM schema_migrations")
    return {row["file"]: row["sha256"] for row in rows}


@asynccontextmanager
async def _exclusive(connection: asyncpg.Connection) -> AsyncIterator[None]:
    """Open a transaction that holds the runners' lock."""
    import asyncpg

    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_WAIT_S}s'")
        try:
            await connection.execute("SELECT pg_advisory_xact_lock($1::bigint)", _LOCK)
        except asyncpg.LockNotAvailableError:
            raise CommandFailed(
                "another migration is running", "wait for it, or end its connection"
            ) from None
        yield
