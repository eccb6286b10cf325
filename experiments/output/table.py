"""The report as CSV: one line for each number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    "kind",
    "name",
    "against",
    "measure",
    "value",
    "value_against",
    "difference",
    "low",
    "high",
    "method",
    "at_one_look",
    "is",
    "decisions",
    "counted",
    "frauds",
)
"""`against`, differences and intervals are empty for a side as a whole. Where a side is compared,
its figures and counts are those of the payments that are compared."""


def to_csv(document: Mapping[str, Any]) -> str:
    """Return the document of a report as CSV with a heading, lines ending in CR LF (RFC 4180)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for line in _lines(document):
        writer.writerow({name: _cell(value) for name, value in line.items()})
    return text.getvalue()


def _lines(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for side in document["sides"]:
        for measure, value in _numbers(side["figures"]):
            yield _who(side) | {"measure": measure, "value": value}
    for comparison in document["comparisons"]:
        side, against = comparison["side"], comparison["against"]
        who = _who(side) | {"against": against["name"] or against["kind"]}
        compared = {difference["measure"]: difference for difference in comparison["differences"]}
        others = dict(_numbers(against["figures"]))
        for measure, value in _numbers(side["figures"]):
            found = compared.get(measure, {})
            yield who | {
                "measure": measure,
                "value": value,
                "value_against": others.get(measure),
                **{name: found.get(name) for name in COLUMNS[6:12]},
            }
        decision = comparison["recommendation"]["decision"]
        yield who | {"measure": "recommendation", "is": decision}


def _who(side: Mapping[str, Any]) -> dict[str, Any]:
    counts = side["maturity"]
    return {
        "kind": side["kind"],
        "name": side["name"],
        **{name: counts[name] for name in ("decisions", "counted", "frauds")},
    }


def _numbers(figures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in figures.items():
        if name == "outcomes":
            yield from ((f"outcome_{outcome}", share) for outcome, share in (value or {}).items())
        elif name != "calibration" and value is not None:
            yield name, value


def _cell(value: Any) -> Any:
    """A cell; no text that a spreadsheet would take for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
