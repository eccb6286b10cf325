"""The table `reference_models`: which references there are, and which a tenant may use.

The artifact store holds the references themselves; `quorum references add` rebuilds the table.
A tenant sees its own and the house's.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from fraud.errors import NotFound
from models.artifact import version_of
from models.store.alias import CHAMPION
from references.reference import Reference, StoredReference
from stores.statements import statement

_DOCUMENTS = msgspec.json.Decoder(Reference)
"""Several times as fast as `Reference.from_document`, which gives the same."""


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """A reference in a list, without its columns.

    Attributes:
        alias: `champion` for the newest of its name and owner, else "".
        columns: how many.
        best, metrics: the variant that scores files, and its figures on its own test part.
        label_rate: share of fraud among labelled rows, in [0, 1].
        rows: labelled rows of the training data.
        size_bytes: of the reference's artifact and its models'.
        location: URL of the artifact store.
        times_used: jobs that it has scored.

    The others are those of `Reference` and `StoredReference`.
    """

    owner: str
    name: str
    version: str
    tenant: str
    alias: str
    kind: str
    digest: str
    columns: int
    best: str
    metrics: dict[str, float]
    label_rate: float
    rows: int
    size_bytes: int
    location: str
    trained_at: datetime
    times_used: int
    used_at: datetime | None

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        used_at = None if self.used_at is None else self.used_at.isoformat()
        return {**asdict(self), "trained_at": self.trained_at.isoformat(), "used_at": used_at}


async def add(
    session: asyncpg.Connection,
    reference: Reference,
    digest: str,
    *,
    size_bytes: int,
    location: str,
    champion: Callable[[], bool] | bool = True,
) -> StoredReference:
    """Add a reference to the table, or state its place and size anew.

    Args:
        digest: of its artifact.
        size_bytes: of its artifact and its models'.
        location: URL of the artifact store.
        champion: it becomes the champion of its name and owner, and the one before no longer is. A
            function is asked when nobody else can add or remove references of the name.
    """
    version = version_of(digest)
    async with session.transaction():
        await _lock(session, reference.owner, reference.name)
        alias = CHAMPION if (champion if isinstance(champion, bool) else champion()) else ""
        if alias:
            await session.execute(
                statement("references/sql/demote.sql"), reference.owner, reference.name, version
            )
        await session.execute(
            statement("references/sql/add.sql"),
            reference.owner,
            reference.name,
            version,
            reference.tenant,
            alias,
            reference.kind,
            digest,
            msgspec.json.encode(reference.to_document()).decode(),
            len(reference.columns),
            reference.best,
            msgspec.json.encode(reference.metrics).decode(),
            reference.label_rate,
            reference.rows,
            size_bytes,
            location,
            datetime.fromisoformat(reference.created_at),
        )
    return StoredReference(reference, version, digest, alias, size_bytes, location)


async def visible(
    session: asyncpg.Connection,
    owner: str,
    known: MutableMapping[str, Reference] | None = None,
) -> list[StoredReference]:
    """The champions that a tenant may use: its own first, then the house's, each by name.

    Args:
        owner: the tenant as an owner: its name, or `HOUSE` for the home tenant.
        known: digest -> reference; those that are missing are read and added. A reference never
            changes under its digest: whoever calls again and again keeps this, for the documents
            of a thousand references are tens of megabytes. None: every document is read.
    """
    documents: MutableMapping[str, Reference] = {} if known is None else known
    rows = await session.fetch(statement("references/sql/champions.sql"), owner)
    unknown = [row["digest"] for row in rows if row["digest"] not in documents]
    if unknown:
        found = await session.fetch(statement("references/sql/documents.sql"), unknown)
        for row in found:
            documents[row["digest"]] = _reference(row["document"])
    # A reference that was removed between the two queries has no document any more.
    return [_stored(row, documents[row["digest"]]) for row in rows if row["digest"] in documents]


async def listed(session: asyncpg.Connection, owner: str | None) -> list[ReferenceEntry]:
    """Every version that a tenant may see: its own first, then the house's; by name, the champion
    first.

    Args:
        owner: see `visible`; None: those of all owners.
    """
    rows = await session.fetch(statement("references/sql/entries.sql"), owner)
    return [
        ReferenceEntry(**{**row, "metrics": msgspec.json.decode(row["metrics"])}) for row in rows
    ]


async def find(session: asyncpg.Connection, owner: str, name: str) -> StoredReference:
    """One reference that a tenant may see.

    Args:
        owner: see `visible`.
        name: `name`, which means the champion, or `name@version`. The tenant's own hides the
            house's of the same name.

    Raises:
        NotFound: there is none.
    """
    plain, _, version = name.partition("@")
    row = await session.fetchrow(statement("references/sql/find.sql"), owner, plain, version)
    if row is None:
        raise NotFound(f"there is no reference {name}: `quorum references list` names them")
    return _stored(row, _reference(row["document"]))


async def remove(session: asyncpg.Connection, owner: str, name: str, version: str = "") -> str:
    """Remove a reference of an owner from the table; the artifact stays in the store.

    Args:
        version: "" removes all versions.

    Returns:
        The digest of the champion, if it was among them; else "".

    Raises:
        NotFound: the owner has no such reference.
    """
    async with session.transaction():
        await _lock(session, owner, name)
        rows = await session.fetch(statement("references/sql/remove.sql"), owner, name, version)
    if not rows:
        called = f"{name}@{version}" if version else name
        raise NotFound(f"there is no reference {called} to remove")
    return next((row["digest"] for row in rows if row["alias"] == CHAMPION), "")


async def count_use(session: asyncpg.Connection, used: Sequence[StoredReference]) -> None:
    """Count one more use of each reference."""
    owners = [stored.reference.owner for stored in used]
    digests = [stored.digest for stored in used]
    await session.execute(statement("references/sql/count_use.sql"), owners, digests)


async def _lock(session: asyncpg.Connection, owner: str, name: str) -> None:
    await session.execute(statement("references/sql/lock_name.sql"), owner, name)


def _reference(document: str) -> Reference:
    return _DOCUMENTS.decode(document)


def _stored(row: asyncpg.Record, reference: Reference) -> StoredReference:
    return StoredReference(
        reference,
        row["version"],
        row["digest"],
        row["alias"],
        row["size_bytes"],
        row["location"],
        row["times_used"],
    )
