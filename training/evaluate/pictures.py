"""The pictures of a training run, as self-contained SVG that a page can inline.

Colours are literals for a light page. `inline` replaces them by the page's custom properties, so
that the pictures follow its light and dark theme.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from fraud.payment.batch import Float64
from training.evaluate.breakdown import Slice
from training.evaluate.effects import Effect
from training.metrics.calibration import CalibrationBins
from training.metrics.ranking import Steps

T = TypeVar("T")

#: Custom property of the page -> colour on a light page. Every colour is unique.
COLOURS = {
    "ink": "#1c2128",
    "muted": "#667080",
    "grid": "#dfe3e8",
    "c0": "#1668dc",
    "c1": "#d4561a",
    "c2": "#2a8a43",
    "c3": "#8f3fb0",
    "c4": "#8a6d00",
    "c5": "#5a6676",
    "fraud": "#c62a2f",
}
_WIDTH, _HEIGHT = 5.0, 3.5
_CURVE_POINTS = 400
_TAILED = 12
_SHOWN_SHARE = 0.005
_SHORT_NAME = 18
_LABELS = 8
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "text.color": COLOURS["ink"],
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
}


def palette(models: Sequence[str], first: str) -> dict[str, str]:
    """A colour for each model; `first`, the most important one, gets the strongest."""
    ordered = [first, *(name for name in models if name != first)]
    return {name: COLOURS[f"c{min(i, 5)}"] for i, name in enumerate(ordered)}


@contextmanager
def _axes(drawn: list[str], name: str, height: float = _HEIGHT) -> Iterator[Any]:
    """Axes to draw on; their SVG is appended to `drawn`."""
    # With a salt the same data give the same bytes; a salt for each name keeps ids unique on a
    # page.
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        yield figure.add_subplot()
        out = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(out, metadata={"Date": None, "Creator": None})
    drawn.append(out.getvalue())


def precision_recall(curves: Mapping[str, Steps], colours: Mapping[str, str]) -> str:
    """Precision against recall; each line ends where the model finds no more fraud."""
    drawn: list[str] = []
    with _axes(drawn, "precision-recall") as axes:
        for name, steps in _front_last(curves):
            found = np.flatnonzero(np.diff(steps.caught) > 0) + 1
            recall = steps.caught[found] / steps.caught[-1]
            precision = steps.caught[found] / steps.reviewed[found]
            at = _thinned(recall)
            axes.plot(recall[at], precision[at], color=colours[name], label=name, zorder=3)
        base = next(iter(curves.values()))
        share = float(base.caught[-1] / base.reviewed[-1])
        axes.axhline(share, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 3)))
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        _legend(axes)
    return drawn[0]


def roc(curves: Mapping[str, Steps], colours: Mapping[str, str]) -> str:
    """Recall against the false positive rate on a logarithmic axis, since only low rates are
    affordable."""
    drawn: list[str] = []
    with _axes(drawn, "roc") as axes:
        low = 1e-2
        for name, steps in _front_last(curves):
            false = steps.reviewed - steps.caught
            low = min(low, max(1 / false[-1], 1e-4))
            fpr, recall = false / false[-1], steps.caught / steps.caught[-1]
            grid = np.geomspace(max(1 / false[-1], 1e-5), 1, _CURVE_POINTS)
            axes.plot(grid, _after(grid, fpr, recall), color=colours[name], label=name, zorder=3)
        ends = np.geomspace(low, 1, 50)
        axes.plot(ends, ends, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 3)))
        axes.axvline(0.01, color=COLOURS["muted"], linewidth=0.6)
        axes.set(xscale="log", xlim=(low, 1), ylim=(0, 1.02))
        axes.set(xlabel="false positive rate", ylabel="recall")
        _percent(axes, "x")
        _legend(axes)
    return drawn[0]


def reliability_diagram(bins: Mapping[str, CalibrationBins], colours: Mapping[str, str]) -> str:
    """Observed share of fraud against predicted probability; calibrated models lie on the diagonal.

    Both axes are logarithmic, as most payments are safe. A bin without fraud lies at the bottom.
    """
    drawn: list[str] = []
    with _axes(drawn, "reliability") as axes:
        predicted = np.concatenate(
            [b.predicted[b.predicted > 0] for b in bins.values()] or [np.ones(1)]
        )
        observed = np.concatenate(
            [b.observed[b.observed > 0] for b in bins.values()] or [np.ones(1)]
        )
        floor = float(max(min(predicted.min(), observed.min()) / 2, 1e-6))
        axes.plot(
            [floor, 1], [floor, 1], color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 3))
        )
        for name, b in _front_last(bins):
            axes.plot(
                np.maximum(b.predicted, floor), np.maximum(b.observed, floor),
                color=colours[name], label=name, marker="o", markersize=3.2, linewidth=1, zorder=3,
            )  # fmt: skip
        axes.set(xscale="log", yscale="log", xlim=(floor, 1.2), ylim=(floor / 1.2, 1.2))
        axes.set(xlabel="predicted probability", ylabel="observed share of fraud")
        _percent(axes, "x")
        _percent(axes, "y")
        _legend(axes)
    return drawn[0]


def score_distribution(
    probability: Float64, fraud: Float64, thresholds: Mapping[str, float]
) -> str:
    """The distribution of the ensemble's probability for frauds and others, on the log-odds
    scale."""
    drawn: list[str] = []
    with _axes(drawn, "scores") as axes:
        odds = np.log10(np.clip(probability, 1e-6, 1 - 1e-6))
        odds = odds - np.log10(1 - np.clip(probability, 1e-6, 1 - 1e-6))
        edges = np.linspace(min(odds.min(), -3), max(odds.max(), 0.5), 40)
        for label, chosen, colour in (
            ("genuine", fraud <= 0, COLOURS["c0"]),
            ("fraud", fraud > 0, COLOURS["fraud"]),
        ):
            counts = np.histogram(odds[chosen], edges)[0] / max(int(chosen.sum()), 1)
            axes.stairs(counts, edges, color=colour, fill=True, alpha=0.35, label=label)
            axes.stairs(counts, edges, color=colour, linewidth=1.1)
        top = axes.get_ylim()[1]
        for number, (name, threshold) in enumerate(thresholds.items()):
            t = min(max(threshold, 1e-6), 1 - 1e-6)
            x = np.log10(t / (1 - t))
            axes.axvline(x, color=COLOURS["ink"], linewidth=0.8)
            axes.text(
                x,
                top * (1 - 0.2 * number),
                f" {name}",
                rotation=90,
                va="top",
                ha="right",
                fontsize=7.5,
            )
        levels = np.array([1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
        ticks = np.log10(levels / (1 - levels))
        shown = _legible(ticks, float(edges[0]), float(edges[-1]))
        axes.set_xticks(ticks[shown], [_short(level) for level in levels[shown]])
        axes.set(xlabel="probability of the ensemble", ylabel="share of payments")
        _percent(axes, "y")
        _legend(axes)
    return drawn[0]


def weekly(weeks: Sequence[Slice], models: Sequence[str], colours: Mapping[str, str]) -> str:
    """Average precision by week, with 95 % intervals as bars."""
    drawn: list[str] = []
    with _axes(drawn, "weekly") as axes:
        x = np.arange(len(weeks))
        for model in reversed(models):
            y = [week.models.get(model, {}).get("average_precision", np.nan) for week in weeks]
            axes.plot(x, y, color=colours[model], marker="o", markersize=3.5, label=model, zorder=3)
            for i, week in enumerate(weeks):
                interval = week.intervals.get(model)
                if interval is not None:
                    ends = [interval.low, interval.high]
                    axes.plot([i, i], ends, color=colours[model], linewidth=4, alpha=0.25)
        every = max(1, len(weeks) // 8)
        axes.set_xticks(x[::every], [week.name[5:] for week in weeks][::every])
        axes.set(ylim=(0, 1), xlim=(-0.5, len(weeks) - 0.5))
        axes.set(xlabel="week from (month-day)", ylabel="average precision")
        _legend(axes)
    return drawn[0]


def bars(names: Sequence[str], values: Sequence[float], label: str, name: str) -> str:
    """Horizontal bars, the largest on top."""
    drawn: list[str] = []
    with _axes(drawn, name, 0.6 + 0.2 * max(len(names), 1)) as axes:
        y = np.arange(len(names))[::-1]
        axes.barh(y, values, color=COLOURS["c0"], height=0.62)
        axes.set_yticks(y, names, fontsize=8)
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        axes.grid(False, axis="y")
        axes.set(ylim=(-0.6, len(names) - 0.4), xlabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    return drawn[0]


def partial_effect(effect: Effect, feature: str) -> str:
    """Odds of fraud against a feature's value. The distribution of the values is drawn below:
    deciles as ticks, codes by their share."""
    drawn: list[str] = []
    with _axes(drawn, f"effect-{feature}", 2.9) as axes:
        axes.margins(y=0.15)
        axes.axhline(1, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 3)))
        if effect.is_code:
            x = np.arange(effect.x.size)
            axes.bar(x, effect.share / effect.share.max() * 0.9, width=0.5, bottom=0.0,
                     transform=axes.get_xaxis_transform(), color=COLOURS["grid"])  # fmt: skip
            axes.plot(x, effect.factor, "o", color=COLOURS["c0"], zorder=3)
            axes.set_xticks(x, [f"{code:g}" for code in effect.x])
        else:
            axes.plot(effect.x, effect.factor, color=COLOURS["c0"], zorder=3)
            axes.plot(effect.spread, np.full(effect.spread.size, 0.03), "|", markersize=9,
                      color=COLOURS["ink"], transform=axes.get_xaxis_transform())  # fmt: skip
            middle = float(effect.spread[7] - effect.spread[3]) or 1.0
            if np.ptp(effect.x) > _TAILED * middle:
                # Linear in the middle of the distribution, logarithmic in the tails.
                axes.set_xscale("asinh", linear_width=middle)
                axes.set_xticks(_asinh_ticks(effect.x, middle))
                axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(lambda v, _: _number(v))
        if effect.missing is not None and effect.missing_share >= _SHOWN_SHARE:
            axes.axhline(effect.missing, color=COLOURS["c1"], linewidth=1)
            axes.text(
                1, effect.missing, f"unknown ({effect.missing_share:.0%})", ha="right", va="bottom",
                transform=axes.get_yaxis_transform(), color=COLOURS["c1"], fontsize=8,
            )  # fmt: skip
        axes.set(yscale="log", xlabel=feature, ylabel="odds of fraud, × mean")
        low, high = axes.get_ylim()
        axes.set_yticks(_factor_ticks(low, high))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(lambda v, _: f"×{v:g}")
    return drawn[0]


def inline(svg: str, name: str, caption: str) -> str:
    """A picture as an element of a page.

    Args:
        svg: a picture drawn by this module.
        name: unique on the page; prefixes the ids of the picture.
        caption: describes the picture for screen readers.

    Returns:
        An `<svg>` element without prolog, in the page's colours and fonts.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', body)
    body = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", body)
    body = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", body)
    body = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" role="img">', body)
    for variable, colour in COLOURS.items():
        body = body.replace(colour, f"var(--{variable})")
    title = re.sub(r"[<>&]", "", caption)
    return body.replace('role="img">', f'role="img"><title>{title}</title>', 1)


def _factor_ticks(low: float, high: float) -> list[float]:
    """Round factors between two values; more of them if the two are close."""
    every: tuple[float, ...] = (1,)
    for reach, steps in ((500, (1, 3)), (50, (1, 2, 5)), (4, (1, 1.2, 1.5, 2, 3, 5, 7))):
        every = steps if high / low < reach else every
    ticks = [m * 10.0**e for e in range(-7, 8) for m in every]
    return [tick for tick in ticks if low <= tick <= high]


def _asinh_ticks(x: Float64, linear_width: float) -> list[float]:
    """Round values in the range of x, well separated on an asinh scale."""
    low, high = float(x[0]), float(x[-1])

    def place(value: float) -> float:
        return float(np.arcsinh(value / linear_width))

    apart = (place(high) - place(low)) / 7
    powers = [10.0**e for e in range(9, -7, -1)]
    rounds = [0.0, *powers, *(2 * p for p in powers), *(5 * p for p in powers)]
    ticks: list[float] = []
    for tick in (sign * value for value in rounds for sign in (1.0, -1.0)):
        if low <= tick <= high and all(abs(place(tick) - place(t)) >= apart for t in ticks):
            ticks.append(tick)
    return sorted(ticks)


def _front_last(curves: Mapping[str, T]) -> Iterator[tuple[str, T]]:
    """The curves in reverse, so that the first in the legend is drawn last, on top."""
    return iter(reversed(list(curves.items())))


def _legend(axes: Any) -> None:
    """Draw the legend below the axes, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    columns = 3 if max(map(len, labels), default=0) <= _SHORT_NAME else 2
    axes.figure.legend(
        handles[::-1], labels[::-1], loc="outside lower center", ncols=min(columns, len(labels)),
        handlelength=1.2, columnspacing=1.4, labelspacing=0.25,
    )  # fmt: skip


def _thinned(x: Float64) -> np.ndarray:
    if x.size <= _CURVE_POINTS:
        return np.arange(x.size)
    return np.unique(np.linspace(0, x.size - 1, _CURVE_POINTS).astype(np.int64))


def _after(grid: Float64, xs: Float64, ys: Float64) -> Float64:
    """Interpolate linearly; of several points at the same x the last counts."""
    last = np.append(np.diff(xs) > 0, True)
    along: Float64 = np.interp(grid, xs[last], ys[last])
    return along


def _percent(axes: Any, side: str) -> None:
    (axes.xaxis if side == "x" else axes.yaxis).set_major_formatter(lambda v, _: _short(v))


def _legible(ticks: Float64, low: float, high: float) -> list[int]:
    """The indices of rising `ticks` between two ends that are far enough apart for their labels."""
    shown: list[int] = []
    for i in np.flatnonzero((ticks >= low) & (ticks <= high)).tolist():
        if not shown or ticks[i] - ticks[shown[-1]] >= (high - low) / _LABELS:
            shown.append(i)
    return shown


def _number(value: float) -> str:
    """A number in a few characters.

    >>> _number(0.5), _number(20_000.0), _number(-2_500_000.0)
    ('0.5', '20k', '-2.5M')
    """
    for least, unit, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def _short(share: float) -> str:
    percent = share * 100
    return f"{percent:.3g} %"
