"""The pictures of a report's page: SVG drawn by hand, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 520, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 12, 14, 30
_SQUARE = 260
_BAR = 220


def track(looks: Sequence[Mapping[str, Any]], better: str, title: str) -> str:
    """Draw a difference at each look, with its confidence sequence as a band.

    Args:
        looks: of a report's document, oldest first.
        better: `lower` or `higher`: the side of 0 that is shaded as the better one.
        title: for those who cannot see it.
    """
    drawn = [look for look in looks if look["difference"] is not None]
    if not drawn:
        return ""
    known = [look for look in drawn if look["low"] is not None]
    low, high = _range(drawn)
    times = [_time(look["at"]) for look in drawn]
    span = max(times[-1] - times[0], 1e-9)
    across = _WIDTH - _LEFT - _RIGHT
    x = [_LEFT + across * ((t - times[0]) / span if len(times) > 1 else 1) for t in times]

    def y(value: float) -> float:
        inner = _HEIGHT - _TOP - _BOTTOM
        share = (min(max(value, low), high) - low) / (high - low)
        return _TOP + inner * (1 - share)

    place = {id(look): at for at, look in zip(x, drawn, strict=True)}
    upper = [(place[id(look)], y(look["high"])) for look in known]
    lower = [(place[id(look)], y(look["low"])) for look in known]
    middle = [(at, y(look["difference"])) for at, look in zip(x, drawn, strict=True)]
    zero = y(0.0)
    top, bottom = (_TOP, zero) if better == "higher" else (zero, _HEIGHT - _BOTTOM)
    parts = [
        _tag("rect", "good", x=_LEFT, y=top, width=across, height=max(bottom - top, 0)),
        *(_gridline(value, y(value)) for value in _ticks(low, high)),
        f'<polygon class="band" points="{_points([*upper, *reversed(lower)])}"/>' if known else "",
        _tag("line", "zero", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=zero, y2=zero),
        f'<polyline class="line" points="{_points(middle)}"/>',
        _tag("circle", "dot", cx=middle[-1][0], cy=middle[-1][1], r=3.5),
        _text(_LEFT, _HEIGHT - 8, drawn[0]["at"][:10], "start"),
        _text(_WIDTH - _RIGHT, _HEIGHT - 8, drawn[-1]["at"][:10], "end"),
    ]
    return _svg(_WIDTH, _HEIGHT, title, parts)


def interval(difference: Mapping[str, Any]) -> str:
    """Draw the interval of a difference beside 0, each on a scale of its own."""
    low, high, middle = difference["low"], difference["high"], difference["difference"]
    if low is None or high is None or middle is None:
        return ""
    reach = max(abs(low), abs(high), abs(middle)) * 1.08 or 1.0

    def x(value: float) -> float:
        return 60 + 60 * value / reach

    word = {"better": "better", "worse": "worse"}.get(difference["is"], "open")
    parts = [
        _tag("line", "zero", x1=60, x2=60, y1=1, y2=17),
        _tag("line", f"span {word}", x1=x(low), x2=x(high), y1=9, y2=9),
        _tag("circle", f"point {word}", cx=x(middle), cy=9, r=3.5),
    ]
    return _svg(120, 18, f"from {low:g} to {high:g}: {word}", parts, "interval")


def calibration(sides: Sequence[tuple[str, Sequence[Sequence[float]]]]) -> str:
    """Draw the share of fraud against the mean probability by bins, on scales of square roots, as
    most payments have a small probability.

    Args:
        sides: (name, bins of (predicted, observed)), at most two.
    """
    values = [math.sqrt(v) for _, bins in sides for pair in bins for v in pair]
    if not values:
        return ""
    most = max(max(values), 0.1)
    inner = _SQUARE - _LEFT - _BOTTOM

    def at(predicted: float, observed: float) -> tuple[float, float]:
        across, up = (inner * math.sqrt(v) / most for v in (predicted, observed))
        return _LEFT + across, _TOP + inner * (1 - up / inner)

    corner = at(most**2, most**2)
    ticks = [t for t in (0, 0.01, 0.05, 0.2, 0.5, 1) if math.sqrt(t) <= most]
    parts = [
        *(_gridline(t, at(0, t)[1], _LEFT + inner, "%") for t in ticks),
        *(_text(at(t, 0)[0], _TOP + inner + 16, f"{t * 100:g}", "middle") for t in ticks),
        _tag("line", "zero", x1=_LEFT, y1=_TOP + inner, x2=corner[0], y2=corner[1]),
    ]
    for i, (_, bins) in enumerate(sides):
        points = [at(*pair) for pair in bins]
        parts.append(f'<polyline class="curve c{i}" points="{_points(points)}"/>')
        parts += [_tag("circle", f"mark c{i}", cx=x, cy=y, r=3) for x, y in points]
    names = " and ".join(name for name, _ in sides)
    return _svg(_SQUARE, _TOP + inner + 24, f"Calibration of {names}", parts, "square")


def shares(outcomes: Mapping[str, float] | None) -> str:
    """Draw the shares of outcomes as parts of a bar. Those that are not approvals are rare: they
    get their square roots."""
    if not outcomes:
        return ""
    others = {name: math.sqrt(share) for name, share in outcomes.items() if name != "approve"}
    parts, start = [_tag("rect", "approve", x=0, y=0, width=_BAR, height=12)], float(_BAR)
    for name, root in reversed(others.items()):
        width = _BAR * root / 2
        start -= width
        parts.append(_tag("rect", name, x=start, y=0, width=width, height=12))
    said = ", ".join(f"{name} {share:.2%}" for name, share in outcomes.items())
    return _svg(_BAR, 12, said, parts, "bar")


def maturity(counts: Mapping[str, int]) -> str:
    """Draw how many decisions are old enough for a label, and how many of these have one."""
    decisions = max(counts["decisions"], 1)
    widths = {
        "young": _BAR,
        "old": _BAR * counts["old_enough"] / decisions,
        "labelled": _BAR * counts["labelled"] / decisions,
    }
    parts = [_tag("rect", n, x=0, y=0, width=width, height=12) for n, width in widths.items()]
    said = (
        f"{counts['old_enough']} of {counts['decisions']} old enough,"
        f" {counts['labelled']} of them labelled"
    )
    return _svg(_BAR, 12, said, parts, "bar")


def _range(looks: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """What the picture shows: the first intervals are wide, and cut off."""
    later = looks[len(looks) // 4 :]
    ends = [look[end] for look in later for end in ("low", "high", "difference")]
    known = [0.0, *(end for end in ends if end is not None)]
    low, high = min(known), max(known)
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def _ticks(low: float, high: float) -> list[float]:
    """Round values within a range, about four."""
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def _gridline(value: float, y: float, right: float = _WIDTH - _RIGHT, unit: str = "") -> str:
    shown = f"{value * 100:g} %" if unit else f"{value:.4g}"
    line = _tag("line", "grid", x1=_LEFT, x2=right, y1=y, y2=y)
    return line + _text(_LEFT - 6, y + 4, "0" if abs(value) < 1e-15 else shown, "end")


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _tag(name: str, style: str, **numbers: float) -> str:
    placed = " ".join(f'{key}="{value:.1f}"' for key, value in numbers.items())
    return f'<{name} class="{style}" {placed}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(
    width: float, height: float, title: str, parts: Sequence[str], style: str = "track"
) -> str:
    return (
        f'<svg class="{style}" viewBox="0 0 {width:g} {height:g}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
