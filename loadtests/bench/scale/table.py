"""The growth of costs as tables and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadtests.bench.scale.point import CUSTOMERS, DIMENSIONS, FLAT, HISTORY, Point, growth
from loadtests.bench.table import table

_MUST_BE_FLAT = dict.fromkeys((CUSTOMERS, HISTORY), ("Redis µs a row", "client µs a row"))


def markdown(points: Sequence[Point]) -> str:
    """Return a table for each dimension, and whether flat measures stayed flat."""
    parts = ["# How cost grows"]
    for dimension in DIMENSIONS:
        those = [point for point in points if point.dimension == dimension]
        if those:
            parts.append(f"## By {dimension}\n\n{_table(dimension, those)}")
            parts += _flatness(dimension, those)
    return "\n\n".join(parts) + "\n"


def flat(points: Sequence[Point]) -> bool:
    """Return whether all flat measures stayed flat."""
    return all(
        growth([p for p in points if p.dimension == dimension], measure) <= FLAT
        for dimension, measures in _MUST_BE_FLAT.items()
        for measure in measures
        if len([p for p in points if p.dimension == dimension]) > 1
    )


def _table(dimension: str, points: Sequence[Point]) -> str:
    measures = list(points[0].values)
    rows = [
        [f"{point.size:,}", *(_cell(point.values[measure]) for measure in measures)]
        for point in sorted(points, key=lambda point: point.size)
    ]
    return table([dimension, *measures], rows)


def _flatness(dimension: str, points: Sequence[Point]) -> list[str]:
    if len(points) < 2:
        return []
    found = []
    for measure in _MUST_BE_FLAT.get(dimension, ()):
        grown = growth(points, measure)
        found.append(f"{measure}: {'flat' if grown <= FLAT else 'GROWS'}, x {grown:.2f}")
    return ["; ".join(found)] if found else []


def _cell(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def draw(points: Sequence[Point], path: Path) -> None:
    """Write a PNG with a panel for each dimension; measures are relative to the smallest size."""
    # Imported here, because it takes a second.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dimensions = [d for d in DIMENSIONS if any(point.dimension == d for point in points)]
    figure = Figure(figsize=(6 * len(dimensions), 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(dimensions), squeeze=False)[0]
    for panel, dimension in zip(panels, dimensions, strict=True):
        those = sorted((p for p in points if p.dimension == dimension), key=lambda p: p.size)
        for measure, base in those[0].values.items():
            if not base:
                continue
            relative = [point.values[measure] / base for point in those]
            panel.plot([point.size for point in those], relative, "o-", label=measure)
        panel.set(xlabel=dimension, ylabel="relative to the smallest size")
        panel.set_ylim(bottom=0)
        if dimension in _MUST_BE_FLAT:
            panel.set_xscale("log")
        panel.grid(visible=True, alpha=0.3)
        panel.legend(fontsize="small")
    figure.savefig(path, dpi=120)
