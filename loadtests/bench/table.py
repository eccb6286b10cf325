"""The results of a benchmark as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from loadtests.bench.agreement import Agreement
from loadtests.bench.app import DOCS, NO_OP, QUORUM, TUNED
from loadtests.bench.medians import Median, find, ratio
from loadtests.bench.results import Results
from loadtests.bench.rounds import BATCH, CLOSED, OPEN
from loadtests.bench.targets import Target
from loadtests.memory import RoleMemory

_OTHERS = (TUNED, DOCS, NO_OP)
_LOADS = {
    CLOSED: "{:,} connections",
    BATCH: "batches, {:,} connections",
    OPEN: "{:,} req/s offered",
}


def markdown(results: Results) -> str:
    """Return all results, the goals first."""
    parts = [
        "# Benchmark",
        _about(results),
        "## Goals\n\n" + _goals(results.targets),
        "## Speed\n\nMedians of the rounds; in brackets the slowest and the fastest round.\n\n"
        + _speed(results.medians),
        "## Quorum's decisions a second by those of the others\n\n" + _ratios(results.medians),
        "## Agreement\n\n" + _agreement(results.agreements),
        "## Memory\n\n" + _memory(results),
    ]
    if results.growth:
        parts.append("## Memory growth\n\n" + _growth(results))
    return "\n\n".join(parts) + "\n"


def _about(results: Results) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in results.about.items())


def _goals(targets: Iterable[Target]) -> str:
    rows = [
        [
            target.measure,
            f"{'≥' if target.at_least else '≤'} {_short(target.goal)} {target.unit}",
            "" if math.isnan(target.found) else f"{_short(target.found)} {target.unit}",
            target.result,
        ]
        for target in targets
    ]
    return table(["measure", "to reach", "found", ""], rows)


def _speed(found: Sequence[Median]) -> str:
    titles = [
        *("app", "load", "decisions/s", "p50 ms", "p90 ms", "p99 ms", "CPU ms a decision"),
        *("client cores", "failures", "degraded"),
    ]
    loads = dict.fromkeys(median.load for median in found)
    return table(titles, [_figures(m) for load in loads for m in found if m.load == load])


def _figures(median: Median) -> list[str]:
    return [
        median.app,
        _LOADS[median.load.mode].format(median.load.amount),
        f"{median.per_s:,.0f} ({median.least_per_s:,.0f}–{median.most_per_s:,.0f})",
        *(f"{v:.2f}" for v in (median.p50_ms, median.p90_ms, median.p99_ms)),
        *(f"{v:.2f}" for v in (median.cpu_ms, median.client_cores)),
        str(median.failures),
        f"{median.degraded:.1%}",
    ]


def _ratios(found: Sequence[Median]) -> str:
    rows = []
    for load in dict.fromkeys(median.load for median in found):
        if load.mode == OPEN or find(found, QUORUM, load) is None:
            continue
        ratios = [ratio(found, QUORUM, other, load) for other in _OTHERS]
        cells = ["" if value is None else f"{value:.2f}" for value in ratios]
        rows.append([_LOADS[load.mode].format(load.amount), *cells])
    return table(["load", *_OTHERS], rows)


def _agreement(agreements: Iterable[Agreement]) -> str:
    rows = [
        [
            a.app,
            str(a.payments),
            str(a.flagged),
            str(a.differing),
            str(a.degraded),
            f"{a.worst:.1e}",
            "agrees" if a.holds else "DIFFERS",
        ]
        for a in agreements
    ]
    titles = ["app", "payments", "not approved", "differing", "degraded", "worst probability", ""]
    return table(titles, rows)


def _memory(results: Results) -> str:
    apps = [
        [name, f"{results.memory_mib[name]:,.0f}", f"{results.idle_cores[name]:.2f}"]
        for name in results.memory_mib
    ]
    totals = table(["app, without stores", "resident MiB", "cores when idle"], apps)
    return totals + "\n\nQuorum and its stores:\n\n" + _roles(results.roles)


def _roles(roles: Sequence[RoleMemory]) -> str:
    rows = [
        [
            m.role,
            str(m.processes),
            f"{m.rss_mib:,.0f}",
            _mib(m.pss_mib),
        ]
        for m in roles
    ]
    # Shared pages count in many RSS figures. Only PSS can be added up.
    known = [m.pss_mib for m in roles if m.pss_mib is not None]
    total = f"{sum(known):,.0f}" if len(known) == len(roles) else ""
    rows.append(["all", str(sum(m.processes for m in roles)), "", total])
    return table(["process", "number", "RSS MiB", "PSS MiB"], rows)


def _growth(results: Results) -> str:
    rows = [
        [
            g.role,
            f"{g.before_mib:,.1f}",
            f"{g.after_mib:,.1f}",
            f"{g.growth_mib:+,.1f}",
        ]
        for g in results.growth
    ]
    return table(["process", "RSS MiB before", "after", "growth"], rows)


def _mib(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; the first column is text, the others are numbers."""
    marks = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, marks, *rows))
