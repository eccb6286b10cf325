"""The pictures of the pages: SVG drawn by hand, coloured by the style sheet.

Every function returns markup in which texts are escaped, with a title for those who cannot see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from markupsafe import Markup

from serve_app.console.views.words import percent

_WIDTH: Final = 640
_HEIGHT: Final = 250
_LEFT: Final = 58
_RIGHT: Final = 14
_TOP: Final = 16
_BOTTOM: Final = 34
_BAR: Final = 120


def histogram(
    edges: Sequence[float], counts: Sequence[int], medium: float | None, high: float | None
) -> Markup:
    """Draw how many rows have which probability, on a scale of square roots: most have a small one.

    Args:
        edges: float[n + 1] that rise, within [0, 1].
        counts: int[n], rows from each edge to the next.
        medium, high: thresholds of the levels; None where levels go by rank.
    """
    if not counts or max(counts) <= 0:
        return Markup("")
    across, up = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    low, span = edges[0], (edges[-1] - edges[0]) or 1.0
    most = max(counts)

    def x(value: float) -> float:
        return _LEFT + across * (value - low) / span

    def y(count: float) -> float:
        return _TOP + up * (1 - math.sqrt(count / most))

    parts = []
    for tick in _counts(most):
        parts.append(_tag("line", "grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y(tick), y2=y(tick)))
        parts.append(_text(_LEFT - 8, y(tick) + 4, short(tick), "end"))
    for begin, end, count in zip(edges, edges[1:], counts, strict=False):
        width = max(x(end) - x(begin) - 1.5, 0.5)
        level = _level((begin + end) / 2, medium, high)
        bar = _tag(
            "rect", level, x=x(begin) + 0.75, y=y(count), width=width, height=_TOP + up - y(count)
        )
        parts.append(_titled(bar, f"{begin:.3g} to {end:.3g}: {count:,} rows"))
    for threshold, name in ((medium, "medium"), (high, "high")):
        if threshold is not None and low <= threshold <= edges[-1]:
            at = x(threshold)
            parts.append(_tag("line", "mark", x1=at, x2=at, y1=_TOP - 4, y2=_TOP + up))
            parts.append(_text(at + 4, _TOP + 4, name, "start"))
    parts.append(_tag("line", "axis", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_TOP + up, y2=_TOP + up))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        value = low + share * span
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        parts.append(_text(x(value), _HEIGHT - 12, f"{value:.2g}", anchor))
    return _svg(_WIDTH, _HEIGHT, "Rows by probability of fraud", parts, "chart")


def bar(share: float, title: str, style: str = "plain") -> Markup:
    """Draw a share in [0, 1] as a part of a bar."""
    width = _BAR * min(max(share, 0.0), 1.0)
    parts = [
        _tag("rect", "rest", x=0, y=0, width=_BAR, height=10, rx=5),
        _tag("rect", style, x=0, y=0, width=max(width, 3), height=10, rx=min(5, max(width, 3) / 2))
        if width > 0
        else "",
    ]
    return _svg(_BAR, 10, title, parts, "bar")


def levels(high: int, medium: int, low: int) -> Markup:
    """Draw the counts of the three levels as parts of one bar, each at least visible."""
    counts = {"high": high, "medium": medium, "low": low}
    total = sum(counts.values())
    if total <= 0:
        return Markup("")
    widths = {n: max(_WIDTH * c / total, 4.0) if c else 0.0 for n, c in counts.items()}
    scale = _WIDTH / sum(widths.values())
    parts, start = [], 0.0
    for name, width in widths.items():
        if width:
            drawn = _tag("rect", name, x=start, y=0, width=width * scale, height=16)
            parts.append(_titled(drawn, f"{name}: {counts[name]:,} rows"))
        start += width * scale
    said = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return _svg(
        _WIDTH, 16, f"Rows by level: {said}", parts, "levels", 'preserveAspectRatio="none" '
    )


def interval(low: float, rate: float, high: float, label_rate: float | None = None) -> Markup:
    """Draw an estimated rate with its interval, from 0 to a little beyond what is shown.

    Args:
        low, rate, high: in [0, 1], in this order.
        label_rate: what the models learnt from; None if unknown.
    """
    width, middle = 320, 16
    most = max(high, rate, label_rate or 0.0) * 1.12 or 1.0

    def x(value: float) -> float:
        return 6 + (width - 12) * min(max(value, 0.0) / most, 1.0)

    parts = [
        _tag("line", "axis", x1=6, x2=width - 6, y1=middle, y2=middle),
        _tag("line", "span", x1=x(low), x2=x(high), y1=middle, y2=middle),
        _tag("circle", "point", cx=x(rate), cy=middle, r=6),
    ]
    if label_rate is not None:
        at = x(label_rate)
        parts.append(_tag("line", "mark", x1=at, x2=at, y1=5, y2=middle + 11))
    parts.append(_text(6, middle + 26, "0", "start"))
    parts.append(_text(width - 6, middle + 26, percent(most), "end"))
    said = f"Estimated rate of fraud {percent(rate)}, from {percent(low)} to {percent(high)}"
    return _svg(width, 46, said, parts, "interval")


def short(count: float) -> str:
    """Write a count in little room: 1200000 is `1.2m`.

    >>> short(950), short(12_000), short(1_200_000)
    ('950', '12k', '1.2m')
    """
    for size, unit in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(count) >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:g}"


def _counts(most: int) -> list[float]:
    """Return round counts up to `most` that are well apart on a scale of square roots, and 0."""
    power = math.floor(math.log10(most))
    rounds = [m * 10.0**k for k in range(power, -1, -1) for m in (5, 2, 1) if m * 10**k <= most]
    kept: list[float] = []
    for value in rounds:
        if not kept or math.sqrt(kept[-1] / most) - math.sqrt(value / most) >= 0.2:
            kept.append(value)
    return [0.0, *(value for value in kept if math.sqrt(value / most) >= 0.2)]


def _level(value: float, medium: float | None, high: float | None) -> str:
    if high is None or medium is None:
        return "plain"
    return "high" if value >= high else "medium" if value >= medium else "low"


def _tag(name: str, style: str, **numbers: float) -> str:
    placed = " ".join(f'{key}="{value:.1f}"' for key, value in numbers.items())
    return f'<{name} class="{escape(style)}" {placed}/>'


def _titled(tag: str, title: str) -> str:
    return f"<g><title>{escape(title)}</title>{tag}</g>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(
    width: float, height: float, title: str, parts: Sequence[str], style: str, more: str = ""
) -> Markup:
    return Markup(  # noqa: S704 - every text within is escaped above
        f'<svg class="{style}" viewBox="0 0 {width:g} {height:g}" {more}role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
