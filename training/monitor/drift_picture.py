"""The picture of a drift report: the shift of columns, and predicted against observed fraud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from models.drift import LARGE, MODERATE
from training.monitor.drift import DriftReport, Shift

SUFFIXES = (".svg", ".png")

_COLOURS = {"steady": "#2a8a43", "moderate": "#8a6d00", "large": "#c62a2f", "few": "#5a6676"}
_LINES = ("#1668dc", "#d4561a", "#2a8a43", "#8f3fb0", "#8a6d00", "#5a6676")
_SHOWN = 25


def draw(report: DriftReport, path: Path) -> None:
    """Write the picture.

    Args:
        path: ends in one of `SUFFIXES`.

    Raises:
        OSError: it cannot be written.
    """
    shifts = [*report.scores, *report.features[:_SHOWN]]
    figure = Figure(figsize=(12, 2 + 0.22 * len(shifts)), layout="constrained")
    bars, calibration = figure.subplots(1, 2, width_ratios=(3, 2))
    _bars(bars, shifts)
    _calibration(calibration, report)
    figure.suptitle(
        f"{report.sampled:,} decisions of {report.since[:10]} to {report.until[:10]} against"
        f" {report.reference}",
        fontsize=10,
    )
    # Without a date the same report gives the same bytes.
    nothing = {"Date": None} if path.suffix == ".svg" else None
    figure.savefig(path, dpi=120, metadata=nothing)


def _bars(axes: Any, shifts: list[Shift]) -> None:
    names = [s.name for s in shifts]
    values = [0.0 if s.psi != s.psi else s.psi for s in shifts]
    axes.barh(range(len(names)), values, color=[_COLOURS[s.level] for s in shifts])
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.invert_yaxis()
    for at in (MODERATE, LARGE):
        axes.axvline(at, color="#667080", linewidth=0.8, linestyle="--")
    axes.set_xlabel("PSI: scores, then the features that moved most")


def _calibration(axes: Any, report: DriftReport) -> None:
    axes.plot([0, 1], [0, 1], color="#667080", linewidth=0.8)
    floor = 1e-4
    for (name, c), colour in zip(report.calibration.items(), _LINES * 4, strict=False):
        if c.rows.size == 0:
            continue
        label = f"{name} ({c.error:.4f})"
        axes.vlines(c.mean.clip(floor), c.low.clip(floor), c.high, color=colour, alpha=0.4)
        axes.plot(c.mean.clip(floor), c.observed.clip(floor), "o", color=colour, ms=4, label=label)
    if report.labelled:
        axes.legend(fontsize=7, title="model (calibration error)", title_fontsize=7)
    axes.set(xscale="log", yscale="log", xlim=(floor, 1), ylim=(floor, 1))
    axes.set_xlabel(f"predicted probability, {report.labelled:,} labelled decisions")
    axes.set_ylabel("share of fraud")
