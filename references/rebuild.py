"""References as the artifact store holds them, for rebuilding the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import asyncpg

from fraud.errors import ArtifactRefused, NotFound
from models.artifact import REFERENCE_PREFIX, version_of
from models.store.alias import CHAMPION, PROMOTED, VERSION, Alias, Move, moment
from models.store.store import ArtifactStore, StoredVariant
from references.catalogue import add
from references.files import artifact_name
from references.library import Library
from references.reference import Reference, StoredReference


@dataclass(frozen=True, slots=True)
class FoundReference:
    """A reference in the artifact store.

    Attributes:
        digest: of its artifact.
        champion: its owner's alias names it.
        size_bytes: of its artifact and of its models'.
    """

    reference: Reference
    digest: str
    champion: bool
    size_bytes: int


def found_references(
    store: ArtifactStore,
    owner: str | None,
    name: str = "",
    damaged: Callable[[str, ArtifactRefused], None] | None = None,
) -> list[FoundReference]:
    """The references in a store, by name; of each name the oldest first.

    Args:
        owner: only those of this owner; None: all.
        name: `name` or `name@version`; "": all.
        damaged: called with each damaged artifact, as `name@version`, and what is wrong with it;
            it is left out. None: the first of them is raised.

    Raises:
        NotFound: the store has no such reference.
        ArtifactRefused: an artifact is damaged, and `damaged` is None.
    """
    plain, _, version = name.partition("@")
    if version and not VERSION.fullmatch(version):
        raise NotFound(f"{version!r} is no version of a reference")
    wanted = artifact_name(plain) if plain else ""
    stored, library = store.variants(), Library(store)
    found = []
    for variant, shelf in stored.items():
        if not variant.startswith(REFERENCE_PREFIX) or wanted not in ("", variant):
            continue
        for one in shelf.versions:
            if version not in ("", one):
                continue
            try:
                found.append(_found(store, library, stored, variant, one))
            except ArtifactRefused as error:
                if damaged is None:
                    raise
                damaged(f"{variant.removeprefix(REFERENCE_PREFIX)}@{one}", error)
    found = [f for f in found if owner in (None, f.reference.owner)]
    if plain and not found:
        raise NotFound(f"{store.url} holds no reference {name}")
    return sorted(found, key=lambda f: (f.reference.name, f.reference.created_at, f.digest))


def _found(
    store: ArtifactStore,
    library: Library,
    stored: dict[str, StoredVariant],
    variant: str,
    version: str,
) -> FoundReference:
    _, digest = store.manifest(variant, version)
    reference, _ = library.read(variant.removeprefix(REFERENCE_PREFIX), digest)
    champion = is_champion(store, reference, digest)
    size = stored[variant].versions[version]
    for model in reference.models:
        shelf = stored.get(model.variant, StoredVariant())
        size += shelf.versions.get(version_of(model.digest), 0)
    return FoundReference(reference, digest, champion, size)


def is_champion(store: ArtifactStore, reference: Reference, digest: str) -> bool:
    """Whether the alias of a reference's owner names this artifact.

    The alias decides which of two trainings was the later one: the one that adds its reference to
    the table last need not be.
    """
    alias = store.alias(artifact_name(reference.name), CHAMPION, reference.owner)
    return alias is not None and alias.digest == digest


def restore_champion(
    store: ArtifactStore,
    found: Sequence[FoundReference],
    clock_s: Callable[[], float] = time.time,
) -> list[FoundReference]:
    """Make the newest of some references of one name the champion of its owner, unless one of them
    is already.

    Args:
        found: see `found_references`; of one owner or several.

    Returns:
        The same references, with their champions.
    """
    known = list(found)
    for owner in {f.reference.owner for f in known}:
        mine = [f for f in known if f.reference.owner == owner]
        if any(f.champion for f in mine):
            continue
        newest = mine[-1]
        variant = artifact_name(newest.reference.name)
        move = Move(newest.digest, moment(clock_s()), PROMOTED)
        before = store.alias(variant, CHAMPION, owner)
        now = Alias(newest.digest, (move,)) if before is None else before.moved(move)
        store.set_alias(variant, CHAMPION, now, owner)
        known[known.index(newest)] = replace(newest, champion=True)
    return known


async def add_found(
    session: asyncpg.Connection, found: Sequence[FoundReference], store: ArtifactStore
) -> list[StoredReference]:
    """Add references of a store to the table, those as champions that its aliases name by now."""
    return [
        await add(
            session,
            one.reference,
            one.digest,
            size_bytes=one.size_bytes,
            location=store.url,
            champion=partial(is_champion, store, one.reference, one.digest),
        )
        for one in found
    ]
