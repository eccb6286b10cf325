"""`quorum plan list`, `show`, `diff` and `draw`: they change nothing."""

from __future__ import annotations

import asyncio
import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.commands.options import TenantOption
from cluster.commands.plan.desk import (
    ACTIVE,
    PlanArgument,
    SourceArgument,
    VersionArgument,
    desk,
    in_order,
    read_file,
    told,
)
from cluster.errors import CommandFailed
from cluster.terminal.console import JsonFlag, emit

if TYPE_CHECKING:
    from deciding.plans.activations import Activation
    from deciding.plans.versions import StoredPlan

_YAML_HELP = "Print YAML, which `quorum plan apply` reads. This is the default."


def list_plans(
    name: Annotated[str | None, typer.Argument(help="Only plans of this name.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most that are listed.")] = 20,
    history: Annotated[
        bool, typer.Option("--history", help="List activations instead, newest first.")
    ] = False,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """List plans: those that decide, then the newest. A tenant's list also has the house's."""
    from cluster.terminal.tables.plans import activations_table, plans_table

    if history:
        emit(asyncio.run(_history(tenant, limit)), as_json, activations_table)
    else:
        emit(asyncio.run(_plans(tenant, name, limit)), as_json, plans_table)


def show(
    name: PlanArgument = ACTIVE,
    version: VersionArgument = None,
    as_yaml: Annotated[bool, typer.Option("--yaml", help=_YAML_HELP)] = False,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a plan with its author, reason and time."""
    from cluster.plans.writing import yaml_of

    if as_json and as_yaml:
        raise CommandFailed("--json and --yaml exclude each other", "choose one", exit_code=2)
    found = asyncio.run(_find(tenant, name, version))
    if as_json:
        emit({**_summary(found), "document": found.document}, True, str)
    else:
        sys.stdout.write(f"{_comment(found)}{yaml_of(in_order(found.document))}")


def diff(
    a: SourceArgument, b: SourceArgument, tenant: TenantOption = None, as_json: JsonFlag = False
) -> None:
    """Show how two plans differ, as a unified diff of their YAML."""
    (title_a, text_a), (title_b, text_b) = asyncio.run(_texts(tenant, a, b))
    lines = list(
        difflib.unified_diff(
            text_a.splitlines(), text_b.splitlines(), title_a, title_b, lineterm=""
        )
    )
    if as_json:
        emit({"a": title_a, "b": title_b, "same": not lines, "diff": lines}, True, str)
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines))


def draw(
    name: PlanArgument = ACTIVE,
    version: VersionArgument = None,
    file: Annotated[
        Path | None, typer.Option(help="Draw the plan in this file; nothing needs to run.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Also write the picture as SVG.")] = None,
    tenant: TenantOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Draw the graph of a plan: rows go in at the top, and end at variants."""
    from cluster.plans.graph import graph_of
    from cluster.plans.svg_picture import svg_of
    from cluster.plans.text_picture import text_of

    if file is None:
        document = asyncio.run(_find(tenant, name, version)).document
    else:
        document = _in_file(file)
    graph = graph_of(document)
    if svg is not None:
        try:
            svg.write_text(svg_of(graph), "utf-8")
        except OSError as error:
            raise CommandFailed(f"{svg}: {error.strerror}", "choose another file") from None
    if as_json:
        emit({"picture": text_of(graph).splitlines(), "svg": svg}, True, str)
    else:
        sys.stdout.write(text_of(graph) + "\n")


def _in_file(path: Path) -> dict[str, Any]:
    """Return the document in a file, whatever models there are."""
    from deciding.plans.versions import read_document
    from fraud.errors import InvalidInput

    written = read_file(path)
    try:
        plan = read_document({"version": 1, **written.document})
    except InvalidInput as error:
        raise told(written, str(path), error, "nothing was drawn") from None
    document: dict[str, Any] = plan.to_document()
    return document


async def _find(tenant: str | None, name: str, version: int | None) -> StoredPlan:
    async with desk(tenant) as opened:
        return await opened.find(name, version)


async def _texts(tenant: str | None, *sources: str) -> list[tuple[str, str]]:
    from cluster.plans.writing import yaml_of

    async with desk(tenant) as opened:
        found = [await opened.source(source) for source in sources]
    # The title says the version, which is not part of what somebody wrote.
    return [
        (title, yaml_of({k: v for k, v in document.items() if k != "version"}))
        for title, document in found
    ]


async def _plans(tenant: str | None, name: str | None, limit: int) -> list[dict[str, Any]]:
    from deciding.plans.versions import list_versions
    from fraud.variant import HOUSE

    async with desk(tenant) as opened:
        owners = tuple(dict.fromkeys((opened.owner, HOUSE)))
        return [_summary(p) for p in await list_versions(opened.session, owners, name, limit)]


async def _history(tenant: str | None, limit: int) -> list[dict[str, Any]]:
    from deciding.plans.activations import history

    async with desk(tenant) as opened:
        return [_entry(each) for each in await history(opened.session, opened.owner, limit)]


def _summary(plan: StoredPlan) -> dict[str, Any]:
    return {
        "owner": plan.owner or None,
        "name": plan.name,
        "version": plan.version,
        "kind": plan.kind,
        "active": plan.active,
        "author": plan.author,
        "reason": plan.reason,
        "created_at": plan.created_at,
    }


def _entry(activation: Activation) -> dict[str, Any]:
    return {
        "owner": activation.owner or None,
        "plan": activation.plan and activation.plan._asdict(),
        "previous": activation.previous and activation.previous._asdict(),
        "activated_at": activation.activated_at,
        "author": activation.author,
        "reason": activation.reason,
        "automatic": activation.automatic,
    }


def _comment(plan: StoredPlan) -> str:
    """What YAML leaves out, as comments before it."""
    whose = f"tenant {plan.owner}" if plan.owner else "the house"
    said = [
        f"plan {plan.id} of {whose}, {'active' if plan.active else 'not active'}",
        f"stored {plan.created_at:%Y-%m-%d %H:%M:%S %Z} by {plan.author or 'nobody on record'}",
        *plan.reason.splitlines(),
    ]
    return "".join(f"# {line}\n" for line in said)
