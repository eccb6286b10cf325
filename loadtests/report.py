"""What a benchmark found, as a document and as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from loadtests.closed_loop import Figures
from loadtests.memory import RoleMemory

Rounds = Mapping[str, Sequence[Figures]]
"""Name of what was measured -> its figures, of all rounds and numbers of connections."""

_MEASURES = ("per_s", "p50_ms", "p90_ms", "p99_ms", "client_cpu")


def summary(rounds: Rounds) -> list[dict[str, Any]]:
    """The median over the rounds, an entry for each thing and number of connections.

    Percentiles are medians of the rounds' percentiles; `failures` is the sum.
    """
    found = []
    for connections in sorted({figures.connections for run in rounds.values() for figures in run}):
        for name, run in rounds.items():
            those = [figures for figures in run if figures.connections == connections]
            medians = {m: round(median(getattr(f, m) for f in those), 3) for m in _MEASURES}
            failures = sum(sum(f.failures.values()) for f in those)
            found.append(
                {"name": name, "connections": connections, **medians, "failures": failures}
            )
    return found


def ratios(entries: Iterable[Mapping[str, Any]], name: str, ceiling: str) -> dict[int, float]:
    """Connections -> requests a second of `name`, as a part of those of `ceiling`."""
    per_s = {(entry["name"], entry["connections"]): entry["per_s"] for entry in entries}
    return {
        connections: round(value / per_s[ceiling, connections], 3)
        for (who, connections), value in per_s.items()
        if who == name and per_s.get((ceiling, connections))
    }


def document(rounds: Rounds, memory: Sequence[RoleMemory], about: Mapping[str, Any]) -> Any:
    """All of it, ready for JSON."""
    entries = summary(rounds)
    return {
        **about,
        "medians": entries,
        "ratio_to_noop": ratios(entries, "quorum", "no-op"),
        "rounds": {name: [asdict(figures) for figures in run] for name, run in rounds.items()},
        "memory": [asdict(part) for part in memory],
    }


def markdown(rounds: Rounds, memory: Sequence[RoleMemory]) -> str:
    """Two tables: speed and memory."""
    entries = summary(rounds)
    to_noop = ratios(entries, "quorum", "no-op")
    speed = [
        [
            entry["name"],
            str(entry["connections"]),
            f"{entry['per_s']:,.0f}",
            *(f"{entry[measure]:.2f}" for measure in ("p50_ms", "p90_ms", "p99_ms")),
            f"{to_noop[entry['connections']]:.2f}"
            if entry["name"] == "quorum" and entry["connections"] in to_noop
            else "",
            f"{entry['client_cpu']:.2f}",
            str(entry["failures"]),
        ]
        for entry in entries
    ]
    titles = ["", "connections", "requests/s", "p50 ms", "p90 ms", "p99 ms", "of no-op"]
    return "\n\n".join(
        [
            _table([*titles, "client cores", "failures"], speed),
            _table(["process", "number", "RSS MiB", "PSS MiB"], _memory_rows(memory)),
        ]
    )


def _memory_rows(memory: Sequence[RoleMemory]) -> list[list[str]]:
    rows = [[m.role, str(m.processes), f"{m.rss_mib:,.0f}", _mib(m.pss_mib)] for m in memory]
    if memory:
        known = [m.pss_mib for m in memory if m.pss_mib is not None]
        # Shared pages are in many RSS figures: only PSS adds up.
        total = sum(known) if len(known) == len(memory) else None
        rows.append(["all", str(sum(m.processes for m in memory)), "", _mib(total)])
    return rows


def _mib(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    marks = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, marks, *rows))
