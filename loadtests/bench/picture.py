"""Latency against offered load, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loadtests.bench.app import NO_OP
from loadtests.bench.medians import Median
from loadtests.bench.rounds import CLOSED, OPEN

_COLOURS = {"quorum": "tab:blue", "tuned": "tab:orange", "docs": "tab:green", "no-op": "tab:gray"}
_TITLES = {
    CLOSED: "closed loop: each connection sends again at once",
    OPEN: "open loop: latency from the intended start",
}


def draw(medians: Sequence[Median], path: Path) -> None:
    """Write a PNG with a panel for the closed and one for the open loop; p50 solid, p99 dashed."""
    # Imported here, because it takes a second.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 5), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True)
    for panel, mode in zip(panels, (CLOSED, OPEN), strict=True):
        for name, points in curves(medians, mode).items():
            x, p50, p99 = zip(*points, strict=True)
            colour = _COLOURS.get(name)
            panel.plot(x, p50, "o-", color=colour, label=f"{name}, p50")
            panel.plot(x, p99, "x--", color=colour, label=f"{name}, p99")
        panel.set(xscale="log", yscale="log", title=_TITLES[mode], ylabel="latency, ms")
        panel.set_xlabel("decisions a second" if mode == CLOSED else "requests a second, offered")
        panel.grid(visible=True, which="both", alpha=0.3)
        if panel.lines:
            panel.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def curves(medians: Sequence[Median], mode: str) -> dict[str, list[tuple[float, float, float]]]:
    """Return app -> `(load, p50 ms, p99 ms)`, rising; a closed loop has the rate reached."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for median in medians:
        if median.load.mode != mode or (mode == OPEN and median.app == NO_OP):
            continue
        load = median.per_s if mode == CLOSED else float(median.load.amount)
        found.setdefault(median.app, []).append((load, median.p50_ms, median.p99_ms))
    return {name: sorted(points) for name, points in found.items()}
