"""`quorum drift`."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster.terminal.terminal import CommandFailed, JsonFlag, emit

if TYPE_CHECKING:
    from rich.console import Group

    from training.monitor.drift import DriftReport

_SHOWN = 20
_WIDTH, _NAME_WIDTH = 80, 38
_STYLES = {"steady": "green", "moderate": "yellow", "large": "red", "few": "dim"}


def drift(
    days: Annotated[
        float, typer.Option(min=0.001, max=3650, help="Decisions of so many last days.")
    ] = 7.0,
    tenant: Annotated[
        str | None, typer.Option(help="Whose decisions; QUORUM_TENANT if not given.")
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw it, into a .svg or .png file.")] = None,
    fail_above: Annotated[
        float | None,
        typer.Option(min=0, help="Exit with 1 if any PSI is above this: for schedules."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare what served decisions saw and said with what their models were trained on.

    PSI of each feature and score against the training window (below 0.1 steady, above 0.25 large),
    and probabilities beside the labels that arrived.
    """
    from fraud.errors import NotFound
    from training.monitor.drift import NothingDecided

    if picture is not None and picture.suffix not in (".svg", ".png"):
        raise CommandFailed(f"--picture {picture}: .svg or .png", "name such a file", exit_code=2)
    try:
        report = asyncio.run(_measure(tenant, days))
    except NothingDecided as error:
        hint = "--days looks further back, --tenant names another tenant"
        raise CommandFailed(error.args[0], hint) from None
    except NotFound as error:
        raise CommandFailed(error.args[0], "`quorum train` makes models and a plan") from None
    if picture is not None:
        _draw(report, picture)
    emit(report.to_document(), as_json, render)
    if fail_above is not None and report.largest_psi > fail_above:
        what = f"a PSI of {report.largest_psi:.3f} is above {fail_above:g}"
        raise CommandFailed(what, "see what moved; `quorum retrain` learns the new")


async def _measure(tenant: str | None, days: float) -> DriftReport:
    from cluster.home.connection import database_url
    from deciding.plans.table import active_plan
    from fraud.errors import NotFound
    from models.store.location import store_of
    from models.store.origin import origin_of
    from settings.settings import Settings
    from training.monitor.drift import measure

    settings = Settings.load()
    replica = settings.database_replica_url
    url = database_url(settings) if replica is None else replica.get_secret_value()
    plan = await active_plan(url)
    if plan is None:
        raise NotFound("no plan is active")
    origin = origin_of(plan, store_of(settings))
    now = datetime.now(UTC)
    return await measure(url, tenant or settings.tenant, plan, origin, now=now, days=days)


def _draw(report: DriftReport, path: Path) -> None:
    from training.monitor.drift_picture import draw

    try:
        draw(report, path)
    except OSError as error:
        raise CommandFailed(
            f"{path}: {error.strerror}", "name a file in a folder there is"
        ) from None


def render(document: dict[str, Any]) -> Group:
    """Scores, the features that moved farthest, and calibration; at most 80 columns wide.

    `chance` is the PSI that sampling alone would make; `no value` the share of rows without one, in
    the training and now.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.table import Table

    moved = Table(
        box=SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        title=f"{document['decisions']:,} decisions against the training of"
        f" {document['reference']}",
        caption=_caption(document),
        min_width=_WIDTH,
    )
    # 38 characters for the longest feature: all of it fits into 80.
    moved.add_column("", no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    for title in ("PSI", "chance", "rows", "no value"):
        moved.add_column(title, justify="right", no_wrap=True)
    moved.add_column("verdict", no_wrap=True)
    for shift in document["scores"]:
        moved.add_row(f"score of {shift['name']}", *_cells(shift))
    moved.add_section()
    for shift in document["features"][:_SHOWN]:
        moved.add_row(shift["name"], *_cells(shift))
    truth = Table(
        box=SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        title=f"Calibration on {document['labelled']:,} labelled decisions",
        min_width=_WIDTH,
    )
    for title in ("model", "calib. error", "said", "seen"):
        truth.add_column(title, justify="left" if title == "model" else "right")
    for name, found in document["calibration"].items():
        truth.add_row(name, *_calibration(found))
    return Group(moved, truth)


def _caption(document: dict[str, Any]) -> str:
    said = f"{document['since'][:16]} to {document['until'][:16]}"
    if document["sampled"] < document["decisions"]:
        said += f", a sample of {document['sampled']:,}"
    if document["foreign"]:
        said += f"; {document['foreign']:,} saw features of another schema"
    more = len(document["features"]) - _SHOWN
    return said + (f"; {more} features that moved less are in --json" if more > 0 else "")


def _cells(shift: dict[str, Any]) -> list[str]:
    style = _STYLES[shift["verdict"]]
    psi = "-" if shift["psi"] is None else f"{shift['psi']:.3f}"
    return [
        psi,
        f"{shift['chance']:.3f}" if shift["rows"] else "-",
        _short(shift["rows"]),
        f"{_percent(shift['missing_then'])}→{_percent(shift['missing_now'])}",
        f"[{style}]{shift['verdict']}[/]",
    ]


def _short(rows: int) -> str:
    """At most five characters.

    >>> _short(9_999), _short(48_120), _short(1_234_567)
    ('9,999', '48.1k', '1.2M')
    """
    if rows < 10_000:
        return f"{rows:,}"
    return f"{rows / 1e3:.1f}k" if rows < 999_950 else f"{rows / 1e6:.1f}M"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share == 0 or share >= 0.0995 else f"{share:.1%}"


def _calibration(found: dict[str, Any]) -> list[str]:
    if found["error"] is None:
        return ["-", "-", "-"]
    rows = sum(b["rows"] for b in found["bins"])
    means = (sum(b[key] * b["rows"] for b in found["bins"]) / rows for key in ("mean", "observed"))
    return [f"{found['error']:.4f}", *(f"{mean:.4f}" for mean in means)]
