"""The report as one self-contained HTML page: no script, no other file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from experiments.output import pictures
from experiments.statistics.losses import AVERAGE_PRECISION, MEASURES
from fraud.costs import CHALLENGE_STOPS

Document = Mapping[str, Any]

_TITLES = {measure.name: measure.title for measure in (*MEASURES, AVERAGE_PRECISION)} | {
    "recall_at_review": "recall at the review rate",
    "review_rate": "review rate",
    "value_caught_share": "share of fraud value caught",
    "calibration_error": "calibration error",
    "latency_p50_ms": "wait for votes in ms, median",
    "latency_p95_ms": "wait for votes in ms, p95",
    "degraded": "degraded",
}
_SHARES = frozenset(
    [
        *("review_rate", "recall_at_review", "frauds_stopped", "genuine_interrupted"),
        *("value_caught_share", "degraded"),
    ]
)
_ORDER = (
    *("cost", "brier", "average_precision", "recall_at_review", "frauds_stopped"),
    *("genuine_interrupted", "value_caught", "value_caught_share", "calibration_error"),
    *("review_rate", "latency_p50_ms", "latency_p95_ms", "degraded"),
)
_NOTES = {
    "empirical_bernstein": "",
    "asymptotic": "asymptotic",
    "bootstrap": "at one look only",
}


def to_page(document: Document) -> str:
    """Return the document of a report as HTML."""
    whole = document["sides"][0]
    delay = document["label_delay"]
    page: str = _template().render(
        report=document,
        css=Markup(_css()),  # noqa: S704 - a file of ours
        whole=whole,
        versions=_versions(document["plan_versions"]),
        waiting=_days(delay["waiting_days"]),
        source={
            "measured": f"nine of ten of the last {delay['frauds']:,} frauds were known by then",
            "given": "",
            "assumed": "no fraud is known yet to measure it on",
        }[delay["source"]],
        unlabelled=(
            ", if it has a label"
            if document["unlabelled"] == "excluded"
            else ", as genuine if it has no label"
        ),
        level=f"{document['level']:.0%}",
        comparisons=[_comparison(c, document["decides_by"]) for c in document["comparisons"]],
        sides=[_side(side) for side in document["sides"]],
        figures=[
            (_TITLES[name], cells)
            for name in _ORDER
            if any(cells := [_value(name, s["figures"][name]) for s in document["sides"]])
        ],
        decides=_TITLES[document["decides_by"]],
        stops=f"{(document['costs'] or {}).get('challenge_stops', CHALLENGE_STOPS):.0%}",
    )
    return page


@cache
def style_policy() -> str:
    """Return the source of the page's style sheet for a Content-Security-Policy: its hash."""
    digest = hashlib.sha256(_css().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _css() -> str:
    return (files("experiments.output") / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(
        (files("experiments.output") / "page.html.j2").read_text(encoding="utf-8")
    )


def _drawn(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704 - drawn by `experiments.output.pictures`, which escapes texts


def _comparison(c: Document, decides_by: str) -> dict[str, Any]:
    side, against = _name(c["side"]), _name(c["against"])
    differences = {difference["measure"]: difference for difference in c["differences"]}
    main = differences.get(decides_by) or differences.get("brier")
    track = ""
    if main is not None:
        title = f"{_TITLES[main['measure']]}: {side} less {against}"
        track = pictures.track(main.get("looks", []), main["better"], title)
    bins = [(_name(c[which]), c[which]["figures"]["calibration"]) for which in ("side", "against")]
    return {
        "side": side,
        "against": against,
        "decision": c["recommendation"]["decision"],
        "reason": c["recommendation"]["reason"],
        "measure": "" if main is None else _capital(_TITLES[main["measure"]]),
        "track": _drawn(track),
        "has_band": main is not None and main["low"] is not None,
        "calibration": _drawn(pictures.calibration(bins)),
        "rows": [*_rows(c, differences)] if differences else [],
        "grounds": _grounds(c),
    }


def _rows(c: Document, differences: Mapping[str, Document]) -> Iterator[dict[str, Any]]:
    one, other = c["side"]["figures"], c["against"]["figures"]
    for name in _ORDER:
        if one[name] is None and other[name] is None:
            continue
        found = differences.get(name)
        moved = None
        if one[name] is not None and other[name] is not None:
            moved = one[name] - other[name]
        yield {
            "title": _TITLES[name],
            "note": "" if found is None else _NOTES[found["method"]],
            "value": _value(name, one[name]),
            "other": _value(name, other[name]),
            "difference": _value(name, moved, "+"),
            "interval": "" if found is None else _interval(name, found),
            "picture": "" if found is None else _drawn(pictures.interval(found)),
            "word": "" if found is None else found["is"],
        }


def _interval(name: str, found: Document) -> str:
    if found["low"] is None or found["high"] is None:
        return "too few"
    return f"{_value(name, found['low'], '+')} to {_value(name, found['high'], '+')}"


def _grounds(c: Document) -> str:
    one, other = c["side"]["maturity"], c["against"]["maturity"]
    if c["same_payments"]:
        return f"On the {one['decisions']:,} payments that both scored: {_counts(one)}."
    return (
        f"By customer. {_capital(_name(c['side']))}: {one['decisions']:,} payments, {_counts(one)};"
        f" {_name(c['against'])}: {other['decisions']:,} payments, {_counts(other)}."
    )


def _counts(m: Document) -> str:
    old = m["old_enough"] / m["decisions"] if m["decisions"] else 0.0
    labelled = m["labelled"] / m["old_enough"] if m["old_enough"] else 0.0
    return (
        f"{old:.0%} old enough for a label, {labelled:.0%} of these labelled,"
        f" {m['frauds']:,} frauds among the {m['counted']:,} that count"
    )


def _side(side: Document) -> dict[str, Any]:
    return {
        "name": _name(side),
        "models": side["models"],
        "shares": _drawn(pictures.shares(side["figures"]["outcomes"])),
        "maturity": _drawn(pictures.maturity(side["maturity"])),
    }


def _name(side: Document) -> str:
    return "the plan" if side["kind"] == "plan" else f"{side['kind']} {side['name']}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _value(name: str, value: float | None, sign: str = "") -> str:
    if value is None:
        return ""
    if name in _SHARES:
        return f"{value:{sign}.2%}".replace("%", " %")
    if name.startswith("latency"):
        return f"{value:{sign}.1f}"
    digits = {"brier": 6, "calibration_error": 5, "average_precision": 4}.get(name, 3)
    return f"{value:{sign},.{digits}f}"


def _days(days: float) -> str:
    if days >= 1 or days == 0:
        return f"{days:.0f} day{'' if days == 1 else 's'}"
    minutes = round(days * 1440)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _versions(versions: list[int]) -> str:
    if len(versions) > 4:
        return f"{versions[0]} to {versions[-1]}"
    return ", ".join(map(str, versions))
