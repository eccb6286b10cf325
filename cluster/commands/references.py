"""`quorum references`: list, show, add, remove, populate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster.commands.options import TenantOption, load_settings
from cluster.errors import CommandFailed
from cluster.home.connection import with_database
from cluster.terminal.console import JsonFlag, emit
from cluster.terminal.failures import without_hint

if TYPE_CHECKING:
    from fraud.errors import ArtifactRefused
    from references.catalogue import ReferenceEntry

app = typer.Typer(
    help="List, show, add, remove and populate the references by which files are scored.",
    no_args_is_help=True,
)

ReferenceArgument = Annotated[
    str, typer.Argument(metavar="NAME[@VERSION]", help="A reference; without @: the champion.")
]


@app.command("list")
def list_references(
    tenant: Annotated[
        str | None,
        typer.Option(
            help="Only what this tenant may use: its own and the house's.", show_default="all"
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the references: their data, figures and dates; with --json also their sizes and uses."""
    from cluster.terminal.tables.references import references_table
    from references import catalogue

    with _reference_errors():
        settings = load_settings(tenant)
        owner = None if tenant is None else settings.owner
        entries: list[ReferenceEntry] = with_database(
            settings, lambda session: catalogue.listed(session, owner)
        )
    document = {"references": [entry.document() for entry in entries]}
    emit(document, as_json, references_table)


@app.command()
def show(name: ReferenceArgument, tenant: TenantOption = None, as_json: JsonFlag = False) -> None:
    """Show one reference: the columns that its models use, and the models' figures."""
    from cluster.terminal.tables.references import reference_table
    from references import catalogue

    with _reference_errors():
        settings = load_settings(tenant)
        stored = with_database(
            settings, lambda session: catalogue.find(session, settings.owner, name)
        )
    document = {
        "id": stored.id,
        "version": stored.version,
        "digest": stored.digest,
        "alias": stored.alias,
        "size_bytes": stored.size_bytes,
        "location": stored.location,
        "times_used": stored.times_used,
        **stored.reference.to_document(),
    }
    emit(document, as_json, reference_table)


@app.command("add")
def add_references(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME[@VERSION]", help="A reference; unset: all in the store."),
    ] = None,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Add references that the artifact store holds to the table, as after a copy of the store.

    A named reference becomes the champion again if its name has none, and with a version in any
    case. With --tenant: only the tenant's own. Without a name, damaged references are left out, and
    the command fails at its end.
    """
    from cluster.terminal.tables.references import added_text
    from models.store.location import store_of
    from references.rebuild import add_found, found_references, restore_champion

    with _reference_errors():
        settings = load_settings(tenant)
        store = store_of(settings)
        owner = None if tenant is None and name is None else settings.owner
        damaged: dict[str, str] = {}

        def leave_out(reference: str, error: ArtifactRefused) -> None:
            damaged[reference] = str(error)

        found = found_references(store, owner, name or "", None if name else leave_out)
        if name is not None:
            found = restore_champion(store, found)
        added = with_database(settings, lambda session: add_found(session, found, store))
    document = {
        "store": store.url,
        "added": [
            {"id": stored.id, "owner": stored.reference.owner, "alias": stored.alias}
            for stored in added
        ],
        "damaged": damaged,
    }
    emit(document, as_json, added_text)
    if damaged:
        raise CommandFailed(
            f"damaged, and left out: {', '.join(damaged)}",
            "train them again, or copy them to the store again",
        )


@app.command("remove")
def remove_reference(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME[@VERSION]", help="A reference; without @: all its versions."),
    ],
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Remove a reference from the table: it matches no more files. Its artifacts stay.

    Only the tenant's own can be removed; the home tenant's are the house's.
    """
    from cluster.terminal.tables.references import removed_text
    from fraud.errors import InvalidInput
    from models.store.alias import CHAMPION
    from models.store.location import store_of
    from references import catalogue
    from references.files import artifact_name

    with _reference_errors():
        settings = load_settings(tenant)
        plain, at, version = name.partition("@")
        if at and not version:
            raise InvalidInput(f"{name!r} names no version; {plain!r} would mean all of them")
        store, variant = store_of(settings), artifact_name(plain)
        champion = with_database(
            settings,
            lambda session: catalogue.remove(session, settings.owner, plain, version),
        )
        alias = store.alias(variant, CHAMPION, settings.owner) if champion else None
        # It may name that of a training that has just ended, which is not in the table yet.
        if alias is not None and alias.digest == champion:
            store.remove_alias(variant, CHAMPION, settings.owner)
    document = {"removed": name, "owner": settings.owner, "was_champion": bool(champion)}
    emit(document, as_json, removed_text)


@app.command("populate")
def populate_references(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the public data sets.", show_default="../shared/data"),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this reference; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained, and train nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Train small references of public and generated sets for every tenant, to try scoring files.

    What is there already is not trained again. A public set that is missing is left out.
    """
    from cluster.home.paths import data_folder
    from cluster.terminal.console import step
    from cluster.terminal.tables.populated import populated_table
    from training.populate.populate import populate
    from training.populate.recipes import chosen, shipped
    from training.progress import Progress

    with _reference_errors(), step("Train references") as running:
        recipes = chosen(shipped(), only or [])

        def showing(name: str) -> Progress:
            return lambda stage, done, of: running.note(f"{name}: {stage} {done:,}/{of:,}")

        made = populate(load_settings(), recipes, data or data_folder(), showing, dry_run=dry_run)
        found = [one.to_document() for one in made]
        running.result = f"{len(found)} recipes"
    emit({"references": found}, as_json, populated_table)
    failed = [one["name"] for one in found if one["state"] == "failed"]
    if failed:
        raise CommandFailed(f"{', '.join(failed)}: not trained", "the table says why")


@contextmanager
def _reference_errors() -> Iterator[None]:
    """Turn the expected errors of references into one line."""
    from fraud.errors import ArtifactRefused, ArtifactsUnavailable, InvalidInput, NotFound

    try:
        yield
    except InvalidInput as error:
        raise CommandFailed(error.detail, "see --help", 2) from error
    except (NotFound, ArtifactRefused, ArtifactsUnavailable) as error:
        raise without_hint(error) from error
