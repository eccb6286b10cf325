"""A simulation as tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

MOST_SEGMENTS = 8
"""Lines of a table of segments; the others are in the JSON."""


def simulation_tables(found: dict[str, Any]) -> Group | str:
    """Return a simulation for people."""
    name = f"plan {found['plan']['name']} v{found['plan']['version']}"
    if not found["decisions"] and not found["undecided"]:
        return f"tenant {found['tenant']} has no decisions on record to simulate {name} on"
    parts: list[Any] = [Text("\n".join(_summary(found, name))), _outcomes(found)]
    if found["flips"]:
        parts.append(_flips(found))
    if found["labels"]["mature"]:
        parts.append(_labels(found["labels"]))
    for by, segments in found["segments"].items():
        if len(segments) > 1:
            parts.append(_segments(by, segments))
    parts.append(_votes(found["votes"]))
    if found["sample"]:
        first = found["sample"][0]
        change = f"{first['before']} -> {first['after']}"
        parts.append(Text(f"for example {first['decision_id']}: {change}; --json lists up to 100"))
    return Group(*_spaced(parts))


def _summary(found: dict[str, Any], name: str) -> Iterable[str]:
    n, labels = found["decisions"], found["labels"]
    made_by = ", ".join(f"{p['name']} v{p['version']}" for p in found["recorded_plans"][:5])
    yield f"{n:,} decisions of tenant {found['tenant']} under {name} instead of {made_by}"
    yield f"from {found['first_at']} to {found['last_at']}: {_share(found['flipped'], n)} flipped"
    if found["undecided"]:
        yield (
            f"{found['undecided']:,} more are left out: rules would decide them, on features of"
            " another schema"
        )
    if found["by_rules"]:
        yield f"{found['by_rules']:,} would have been decided by rules"
    if labels["labelled"] and not labels["mature"]:
        yield f"{labels['labelled']:,} have labels, none of them mature yet"
    elif not labels["labelled"]:
        yield "none has a label: nothing is known of caught fraud"


def _outcomes(found: dict[str, Any]) -> Table:
    table = _table("outcome", "recorded", "simulated", "change")
    for o in found["outcomes"]:
        table.add_row(
            o["outcome"],
            f"{o['before']:,} ({o['rate_before']:.2%})",
            f"{o['after']:,} ({o['rate_after']:.2%})",
            f"{o['after'] - o['before']:+,}",
        )
    return table


def _flips(found: dict[str, Any]) -> Table:
    table = _table("flipped", "decisions", "value")
    for flip in found["flips"]:
        value = ", ".join(f"{a['currency']} {_grouped(a['value'])}" for a in flip["value"][:4])
        more = len(flip["value"]) - 4
        table.add_row(
            f"{flip['before']} -> {flip['after']}",
            f"{flip['decisions']:,}",
            f"{value} and {more} more" if more > 0 else value,
        )
    return table


def _labels(labels: dict[str, Any]) -> Table:
    table = _table(f"of {labels['mature']:,} with mature labels", "of", "recorded", "simulated")
    for title, of, key in (
        ("fraud caught", "fraud", "caught"),
        ("false positives", "genuine", "false_positives"),
    ):
        counts = (labels[of], labels[f"{key}_before"], labels[f"{key}_after"])
        table.add_row(title, *(f"{n:,}" for n in counts))
    for value in labels["value"]:
        amounts = (_grouped(value[key]) for key in ("fraud", "before", "after"))
        table.add_row(f"fraud caught, {value['currency']}", *amounts)
    for cost in labels["cost"]:
        table.add_row(
            f"cost, {cost['currency']}", "", f"{cost['before']:,.2f}", f"{cost['after']:,.2f}"
        )
    return table


def _segments(by: str, segments: list[dict[str, Any]]) -> Table:
    table = _table(
        *(by, "decisions", "flipped", "approved", "simulated", "fraud caught", "simulated", "of")
    )
    for segment in segments[:MOST_SEGMENTS]:
        approve, labels = segment["outcomes"][0], segment["labels"]
        table.add_row(
            escape(segment["name"]),
            f"{segment['decisions']:,}",
            f"{segment['flipped']:,}",
            f"{approve['rate_before']:.2%}",
            f"{approve['rate_after']:.2%}",
            f"{labels['caught_before']:,}",
            f"{labels['caught_after']:,}",
            f"{labels['fraud']:,}",
        )
    if len(segments) > MOST_SEGMENTS:
        table.add_row(f"and {len(segments) - MOST_SEGMENTS} more")
    return table


def _votes(votes: list[dict[str, Any]]) -> Table:
    table = _table("votes of", "on record", "asked now", "none, and why")
    for vote in votes:
        why = _counts(vote["missing"])
        table.add_row(
            escape(vote["variant"]),
            _counts(vote["recorded"]),
            _counts(vote["asked"]),
            escape(f"{why}: {vote['refused']}" if vote["refused"] and why else why),
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=None, pad_edge=False)
    for title in others:
        left = title in ("value", "on record", "asked now", "none, and why")
        table.add_column(title, justify="left" if left else "right")
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n:,} {name}" for name, n in counts.items())


def _share(n: int, of: int) -> str:
    return f"{n:,} ({n / max(1, of):.2%})"


def _grouped(number: str) -> str:
    """A decimal number with commas between thousands."""
    whole, point, decimals = number.partition(".")
    return f"{int(whole):,}{point}{decimals}"


def _spaced(parts: list[Any]) -> list[Any]:
    spaced = [parts[0]]
    for part in parts[1:]:
        spaced += [Text(), part]
    return spaced
