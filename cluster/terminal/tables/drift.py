"""Human-readable output of `quorum drift`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

_SHOWN = 20
_WIDTH, _NAME_WIDTH = 80, 38
_STYLES = {"steady": "green", "moderate": "yellow", "large": "red", "few": "dim"}


def drift_tables(document: dict[str, Any]) -> Group:
    """Return scores, the features that changed most, and calibration; at most 80 columns wide.

    `chance` is the PSI that sampling alone would give. `no value` is the share of rows without a
    value, in the training and now.
    """
    from rich.console import Group

    return Group(_shifts(document), _calibrations(document))


def _shifts(document: dict[str, Any]) -> Table:
    title = f"{document['decisions']:,} decisions against the training of {document['reference']}"
    table = _table(title, _caption(document))
    # 38 characters for the longest feature: everything fits into 80 columns.
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    for column in ("PSI", "chance", "rows", "no value"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("level", no_wrap=True)
    for shift in document["scores"]:
        table.add_row(f"score of {shift['name']}", *_cells(shift))
    table.add_section()
    for shift in document["features"][:_SHOWN]:
        table.add_row(shift["name"], *_cells(shift))
    return table


def _calibrations(document: dict[str, Any]) -> Table:
    table = _table(f"Calibration on {document['labelled']:,} labelled decisions")
    for column in ("model", "calib. error", "predicted", "observed"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for name, found in document["calibration"].items():
        table.add_row(name, *_calibration(found))
    return table


def _table(title: str, caption: str | None = None) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(
        box=SIMPLE_HEAD,
        padding=0,
        pad_edge=False,
        title=title,
        caption=caption,
        min_width=_WIDTH,
    )


def _caption(document: dict[str, Any]) -> str:
    caption = f"{document['since'][:16]} to {document['until'][:16]}"
    if document["sampled"] < document["decisions"]:
        caption += f", a sample of {document['sampled']:,}"
    if document["foreign"]:
        caption += f"; {document['foreign']:,} had features of another schema"
    more = len(document["features"]) - _SHOWN
    return caption + (f"; --json shows {more} more features" if more > 0 else "")


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
    """Return a number in at most five characters.

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
