"""An alias of a variant: the artifact it names, and those it named before.

Both lie in one small file, which is replaced as a whole: an alias and its history cannot disagree,
wherever a write was interrupted. An alias has an owner, the house or a tenant; `alias_file` says
where each lies.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from fraud.errors import ArtifactRefused
from fraud.variant import HOUSE, VARIANT_PATTERN
from models.artifact import version_of
from models.store.owner_code import owner_code, owner_from

CHAMPION, CHALLENGER = "champion", "challenger"

TRAINED, PROMOTED, FORCED = "trained", "promoted", "forced"
ROLLED_BACK, PUSHED = "rolled back", "pushed"

NAME = re.compile(VARIANT_PATTERN)
DIGEST = re.compile(r"[0-9a-f]{64}")
VERSION = re.compile(r"[0-9a-f]{12}")

ALIASES, OWNERS = "aliases", "owners"
"""Folders of a variant: with the house's aliases, and with a folder for each tenant's."""

NO_PLAN = ("", 0)
"""Plan before a tenant's first: it had none of its own, and the house's decided."""

_KEPT_MOVES = 100
"""Every replica reads the file every few seconds: it stays small."""


@dataclass(frozen=True, slots=True)
class Move:
    """One move of an alias to an artifact.

    Attributes:
        digest: of the artifact.
        at: when, RFC 3339.
        how: `trained`, `promoted`, `forced`, `rolled back` or `pushed`.
        reason: the reason given for a forced move; "" otherwise.
        run: the training run that was promoted or rolled back as a whole; None for one variant.
        plan_before: name and version of the owner's plan that was active before, if the move
            activated another; `NO_PLAN` if it had none of its own; None if the plan stayed.
    """

    digest: str
    at: str
    how: str
    reason: str = ""
    run: str | None = None
    plan_before: tuple[str, int] | None = None

    @property
    def version(self) -> str:
        """Of the artifact."""
        return version_of(self.digest)


@dataclass(frozen=True, slots=True)
class Alias:
    """What an alias names.

    Attributes:
        digest: of the artifact.
        moves: the newest hundred, oldest first; () if the file holds none.
    """

    digest: str
    moves: tuple[Move, ...] = ()

    @property
    def version(self) -> str:
        """Of the artifact."""
        return version_of(self.digest)

    def moved(self, move: Move) -> Alias:
        """The alias after a move. If it had no moves, its present artifact becomes the first."""
        before = self.moves or (Move(self.digest, "", TRAINED),)
        return Alias(move.digest, (*before, move)[-_KEPT_MOVES:])

    def to_json(self) -> bytes:
        """The file's content; `parse_alias` reads it."""
        document = {
            "version": self.version,
            "digest": self.digest,
            "moves": [{"version": move.version, **asdict(move)} for move in self.moves],
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def alias_file(variant: str, alias: str, owner: str = HOUSE) -> str:
    """The file of an alias: `<variant>/aliases/<alias>.json` is the house's,
    `<variant>/owners/<code of the tenant>/<alias>.json` a tenant's.

    Raises:
        ArtifactRefused: `owner` is not the name of a tenant.
    """
    if owner == HOUSE:
        return f"{variant}/{ALIASES}/{alias}.json"
    return f"{variant}/{OWNERS}/{owner_code(owner)}/{alias}.json"


def alias_at(name: str) -> tuple[str, str, str] | None:
    """Variant, owner and alias of an alias's file; None if the name is not of one."""
    variant, _, rest = name.partition("/")
    *folders, file = rest.split("/")
    alias = file.removesuffix(".json")
    if alias == file:
        return None
    if folders == [ALIASES]:
        return variant, HOUSE, alias
    owner = owner_from(folders[1]) if len(folders) == 2 and folders[0] == OWNERS else None
    return None if owner is None else (variant, owner, alias)


def alias_name(alias: str, owner: str = HOUSE) -> str:
    """An alias with its owner, for people: `champion` is the house's, `mine/champion` a
    tenant's."""
    return f"{owner}/{alias}" if owner else alias


def parse_alias(name: str, body: bytes) -> Alias:
    """Read an alias file.

    Args:
        name: of the variant and the alias, for error texts.

    Raises:
        ArtifactRefused: the file is malformed.
    """
    try:
        document = json.loads(body)
        digest = document["digest"]
        if not DIGEST.fullmatch(digest) or document["version"] != version_of(digest):
            raise ValueError(digest)
        moves = tuple(_move(dict(move)) for move in document.get("moves", ()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactRefused(f"{name}: the alias file is malformed") from error
    return Alias(digest, moves)


def _move(document: dict[str, Any]) -> Move:
    document.pop("version", None)
    move = Move(**document)
    if move.plan_before is not None:
        name, version = move.plan_before
        move = replace(move, plan_before=(str(name), int(version)))
    return move


def moment(at_s: float) -> str:
    """RFC 3339 of seconds since the epoch, to the second."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
