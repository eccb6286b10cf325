"""The references that jobs use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import asyncpg

from references import catalogue
from references.matching.match import Match
from references.reference import Reference, StoredReference
from stores.postgres.errors import translate_outages


@dataclass(slots=True)
class ReferenceShelf:
    """The references in PostgreSQL that jobs use.

    Attributes:
        source: a pool of connections.
        owner_of: tenant -> the owner of its models, `HOUSE` for the home tenant.
        known: digest -> reference, as read so far.
    """

    source: asyncpg.Pool
    owner_of: Callable[[str], str]
    known: dict[str, Reference] = field(default_factory=dict)

    async def visible(self, tenant: str, named: Sequence[str] = ()) -> list[StoredReference]:
        """Return the references that a tenant's file is matched against: all champions, and older
        versions that the caller names.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            NotFound: there is no such version.
        """
        owner = self.owner_of(tenant)
        async with translate_outages():
            found = await catalogue.visible(self.source, owner, self.known)
            ids = {stored.id for stored in found}
            for name in named:
                if "@" in name and name not in ids:
                    found.append(await catalogue.find(self.source, owner, name))
        return found

    async def chosen(self, tenant: str, match: Match) -> list[StoredReference]:
        """Return the references that a match has chosen.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
            NotFound: one has been removed.
        """
        owner = self.owner_of(tenant)
        async with translate_outages():
            return [await catalogue.find(self.source, owner, name) for name in match.chosen]

    async def count_use(self, tenant: str, match: Match) -> None:
        """Count one more use of each reference that a match has chosen."""
        used = await self.chosen(tenant, match)
        async with translate_outages():
            await catalogue.count_use(self.source, used)
