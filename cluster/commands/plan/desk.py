"""Where the commands find plans: in the table, under the name of an owner, or in a file."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import load_settings
from cluster.errors import CommandFailed
from cluster.terminal.console import print_line

if TYPE_CHECKING:
    import asyncpg

    from cluster.plans.reading import PlanText
    from deciding.plans.stored_models import StoredModels
    from deciding.plans.versions import PlanId, StoredPlan
    from fraud.errors import InvalidInput
    from fraud.plan import Plan
    from settings.settings import Settings

ACTIVE = "active"
NOTHING_STORED = "nothing was stored"
_MOST_FAULTS = 30

PlanArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME[@VERSION]",
        help="A plan: its newest version, or the one after the @. `active` is what decides.",
    ),
]
VersionArgument = Annotated[
    int | None, typer.Argument(min=1, help="Its version.", show_default="the newest")
]
SourceArgument = Annotated[
    str,
    typer.Argument(metavar="PLAN", help="A file, NAME, NAME@VERSION or `active`."),
]
ReasonOption = Annotated[
    str, typer.Option(help="Why, for everybody who reads the history later.", show_default=False)
]


@dataclass(frozen=True, slots=True)
class Desk:
    """An open database, for the plans of one owner.

    Attributes:
        settings: of the tenant.
        owner: of the plans that are changed: a tenant, or the house for the home tenant.
        session: a connection to PostgreSQL.
    """

    settings: Settings
    owner: str
    session: asyncpg.Connection

    @property
    def whose(self) -> str:
        """The owner in words."""
        return f"tenant {self.owner}" if self.owner else "the house"

    async def active(self) -> PlanId | None:
        """Return which plan of the owner's own decides. An activation names it, so that of two
        people who activate plans at the same time one gets an error."""
        from deciding.plans.versions import read_active

        found = await read_active(self.session, self.owner)
        return None if found is None else found.id

    async def find(self, name: str, version: int | None = None) -> StoredPlan:
        """Return a plan of the owner or, if it has none of this name, of the house.

        Args:
            name: see `PlanArgument`.

        Raises:
            CommandFailed: there is no such plan.
        """
        from deciding.plans.versions import MAX_VERSION, read_active, read_newest, read_version
        from fraud.errors import NotFound
        from fraud.variant import HOUSE

        name, version = split(name, version)
        for owner in dict.fromkeys((self.owner, HOUSE)):
            with suppress(NotFound):
                if name == ACTIVE and version is None:
                    found = await read_active(self.session, owner)
                    if found is not None:
                        return found
                elif version is None:
                    return await read_newest(self.session, owner, name)
                elif 1 <= version <= MAX_VERSION:
                    return await read_version(self.session, owner, name, version)
        what = "no plan is active" if name == ACTIVE else f"there is no plan {name}"
        raise CommandFailed(
            f"{what}{'' if version is None else f' v{version}'}", "`quorum plan list` shows them"
        )

    async def own(self, name: str, version: int | None = None) -> StoredPlan:
        """Like `find`, but only a plan of the owner itself, which can be activated."""
        found = await self.find(name, version)
        if found.owner != self.owner:
            raise CommandFailed(
                f"plan {found.id} is the house's", f"apply it for {self.whose} first"
            )
        return found

    def models(self) -> StoredModels:
        """Return the models that plans may name."""
        from deciding.plans.stored_models import StoredModels
        from models.store.location import store_of

        return StoredModels(store_of(self.settings), self.settings.home_tenant)

    async def missing(self, plan: Plan) -> list[str]:
        """Return the variants of a plan that have no pool; none while Serve does not answer."""
        from cluster.node.node import Node
        from cluster.pools.deployment import running_pools

        running = await asyncio.to_thread(running_pools, Node.of(self.settings).dashboard)
        return [name for name in plan.variants if name not in running] if running else []

    async def source(self, text: str) -> tuple[str, dict[str, Any]]:
        """Return the title and the document of a plan in a file or in the table."""
        document = await asyncio.to_thread(_in_file, Path(text))
        if document is not None:
            return text, document
        found = await self.find(text)
        return f"{found.name}@{found.version}", in_order(found.document)

    def checked(self, written: PlanText, what: str, hint: str) -> Plan:
        """Return the plan in a document that a person wrote. Blocks.

        Args:
            what: the document, in error texts.
            hint: what became of the command.

        Raises:
            CommandFailed: it is wrong; each fault has been printed with its place.
        """
        from deciding.plans.submitted import read_submitted
        from features.definitions import SCHEMA_ID
        from fraud.errors import InvalidInput

        try:
            return read_submitted(written.document, self.owner, self.models(), SCHEMA_ID)
        except InvalidInput as error:
            raise told(written, what, error, hint) from None


@asynccontextmanager
async def desk(tenant: str | None) -> AsyncIterator[Desk]:
    """Open the database for the plans of a tenant; None: those of the house."""
    from cluster.home.connection import database

    settings = load_settings(tenant)
    async with database(settings) as session:
        yield Desk(settings, settings.owner, session)


def read_file(path: Path) -> PlanText:
    """Return the document in a file.

    Raises:
        CommandFailed: it is no document.
    """
    from cluster.plans.reading import read_plan_file
    from fraud.errors import InvalidInput

    try:
        return read_plan_file(path)
    except InvalidInput as error:
        raise CommandFailed(f"{path}: {error.detail}", "docs/plans.md has examples") from None


def _in_file(path: Path) -> dict[str, Any] | None:
    """The document in a file, with everything that a stored one has unless it is wrong; None if
    there is no such file."""
    if not path.is_file():
        return None
    return in_order({"version": 1, **read_file(path).document})


def in_order(document: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's document as it is written, whatever order PostgreSQL or a person gave it, and
    without what says nothing; as it is if it is not a plan's."""
    from cluster.plans.writing import tidy
    from deciding.plans.versions import read_document
    from fraud.errors import InvalidInput

    with suppress(InvalidInput):
        return tidy(read_document(document).to_document())  # type: ignore[no-any-return]
    return document


def told(written: PlanText, what: str, error: InvalidInput, hint: str) -> CommandFailed:
    """Return the error of a command about a faulty plan. Several faults are printed, each with its
    place.

    Args:
        what, hint: see `Desk.checked`.
    """
    lines = written.located(error.errors)
    if len(lines) <= 1:
        return CommandFailed(f"{what}: {lines[0] if lines else error.detail}", hint)
    for line in lines[:_MOST_FAULTS]:
        print_line(f"{what}: {line}")
    return CommandFailed(f"{what}: {len(lines)} faults", hint)


def split(name: str, version: int | None = None) -> tuple[str, int | None]:
    """Return the name and version in `NAME@VERSION`; a version beside it wins."""
    first, _, last = name.rpartition("@")
    if first and last.isdigit():
        return first, version or int(last)
    return name, version


def plan_id(text: str) -> PlanId:
    """Return the plan that `NAME@VERSION` names.

    Raises:
        CommandFailed: it has another form.
    """
    from deciding.plans.versions import PlanId

    name, version = split(text)
    if version is None:
        raise CommandFailed(f"{text!r} names no version", "write NAME@VERSION", exit_code=2)
    return PlanId(name, version)


def author() -> str:
    """Return who runs the command, for the history."""
    try:
        return f"{getpass.getuser()}, command line"
    except (OSError, KeyError):
        return "command line"
