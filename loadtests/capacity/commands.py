"""The commands of the capacity model."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict, fields
from typing import Any

import asyncpg
import msgspec
import redis
from rich.console import Console

from cluster.errors import CommandFailed
from loadtests.arguments import names_of
from loadtests.bench.launch import NotStarted
from loadtests.capacity.compare import TOLERANCE, compare
from loadtests.capacity.constants import FILE, read_constants, write_constants
from loadtests.capacity.model.demand import Demand, Hardware
from loadtests.capacity.model.needs import Plan, needs_of, saturations
from loadtests.capacity.page import with_tables
from loadtests.capacity.runs import CLOSED, OPEN, read_runs
from loadtests.capacity.simulation.cluster import Layout
from loadtests.capacity.simulation.run import simulate
from loadtests.capacity.table import (
    Rows,
    comparison_rows,
    markdown,
    plan_rows,
    rich_table,
    run_rows,
    saturation_rows,
)
from loadtests.processes import NoNode
from loadtests.target import NoTarget

DEFAULT_DAYS = (10e6, 100e6)
DEFAULT_PEAKS = (10_000.0,)
_SUFFIXES = {"K": 1e3, "M": 1e6, "G": 1e9}
_UNMEASURABLE = (
    *(NoTarget, NoNode, NotStarted, CommandFailed, ValueError, RuntimeError, OSError),
    *(subprocess.SubprocessError, asyncpg.PostgresError, redis.RedisError, msgspec.DecodeError),
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command. Returns 1 if what was measured lies outside of the tolerance, 2 if something
    cannot be measured or an argument is wrong."""
    chosen = _options(arguments)
    try:
        return int(chosen.run(chosen))
    except _UNMEASURABLE as error:
        print(f"error: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _plan(chosen: argparse.Namespace) -> int:
    constants, hardware = read_constants(), _hardware(chosen)
    plans = [needs_of(demand, hardware, constants) for demand in _demands(chosen)]
    limits = saturations(plans[-1].demand, hardware, constants)
    if chosen.json:
        document = {
            "hardware": asdict(hardware),
            "plans": [_document(plan) for plan in plans],
            "saturates": [{"per_s": per_s, "of": n.of, "what": n.what} for per_s, n in limits],
        }
        print(json.dumps(document, indent=2))
        return 0
    _show(plan_rows(plans), chosen.markdown)
    _show(saturation_rows(limits), chosen.markdown)
    return 0


def _document(plan: Plan) -> dict[str, Any]:
    needs = [asdict(need) | {"share": need.share} for need in plan.needs]
    return asdict(plan) | {"needs": needs, "redis": plan.redis, "postgres": plan.postgres}


def _demands(chosen: argparse.Namespace) -> list[Demand]:
    ratio = chosen.peak_to_mean
    days, peaks = chosen.per_day, chosen.per_second
    if not days and not peaks:
        days, peaks = DEFAULT_DAYS, DEFAULT_PEAKS
    rates = [*(day / 86_400 * ratio for day in days), *peaks]
    return [
        Demand(
            rate,
            ratio,
            # One payment a day each, as in the generated history.
            round(chosen.customers or max(1000.0, rate / ratio * 86_400)),
            round(chosen.merchants),
            chosen.retention_days,
            chosen.variants,
            chosen.tenants,
            chosen.largest_tenant or 1 / chosen.tenants,
        )
        for rate in rates
    ]


def _hardware(chosen: argparse.Namespace) -> Hardware:
    return Hardware(**{field.name: getattr(chosen, field.name) for field in fields(Hardware)})


def _simulate(chosen: argparse.Namespace) -> int:
    constants = read_constants()
    layout = Layout(
        chosen.nodes,
        chosen.node_cores,
        chosen.shared,
        store_cores=chosen.postgres_cores,
        lanes=1 if chosen.node_cores <= 2 or chosen.shared else 2,
    )
    loads = [*((CLOSED, n) for n in chosen.connections), *((OPEN, n) for n in chosen.rates)]
    runs = [
        (
            f"{amount} connections" if mode == CLOSED else f"{amount:,} req/s",
            simulate(constants, layout, mode, amount, chosen.seconds, chosen.seed),
        )
        for mode, amount in loads
    ]
    if chosen.json:
        print(json.dumps([{"load": name} | asdict(run) for name, run in runs], indent=2))
    else:
        _show(run_rows(runs), chosen.markdown)
    return 0


def _page(_: argparse.Namespace) -> int:
    sys.stdout.write(with_tables(sys.stdin.read(), read_constants()))
    return 0


def _measure(chosen: argparse.Namespace) -> int:
    # Imported here, as it brings most of Quorum.
    from loadtests.capacity.measure.all_costs import measure

    known = read_constants() if FILE.exists() else None
    write_constants(measure(chosen.parts, known, chosen.seconds))
    return 0


def _check(chosen: argparse.Namespace) -> int:
    constants = read_constants()
    if chosen.runs:
        runs = read_runs(chosen.runs.read())
    elif chosen.nodes:
        from loadtests.capacity.measure.real_run import real_runs

        runs = real_runs(chosen.nodes, chosen.connections, chosen.rates, chosen.seconds)
    else:
        runs = list(constants.node.runs)
    found = compare(runs, constants)
    if chosen.json:
        print(json.dumps([asdict(c) | {"holds": c.holds} for c in found], indent=2))
    else:
        _show(comparison_rows(found), chosen.markdown)
        print("\ntolerance: " + ", ".join(f"{m} x {most:g}" for m, most in TOLERANCE.items()))
    return 0 if all(comparison.holds for comparison in found) else 1


def _show(rows: Rows, as_markdown: bool) -> None:
    if as_markdown:
        print(markdown(rows) + "\n")
    else:
        Console(highlight=False).print(rich_table(rows), "")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.capacity", description="What a load needs; see docs/scaling.md."
    )
    commands = parser.add_subparsers(required=True)
    _plan_options(_command(commands, "plan", _plan, "what loads need, and what saturates first"))
    simulating = _command(commands, "simulate", _simulate, "latency and queues of a layout")
    simulating.add_argument("--nodes", type=_whole, default=3)
    simulating.add_argument("--node-cores", type=_whole, default=8)
    simulating.add_argument("--postgres-cores", type=_whole, default=16)
    simulating.add_argument("--shared", action="store_true", help="all on one machine of the cores")
    simulating.add_argument("--seed", type=int, default=1)
    _load_options(simulating, [], [1000, 2000, 3000])
    measuring = _command(commands, "measure", _measure, "measure the constants, and store them")
    measuring.add_argument("--parts", type=_parts, default=["redis", "postgres", "links", "node"])
    measuring.add_argument("--seconds", type=float, default=8.0, help="of each run on the node")
    _command(commands, "page", _page, "read a page from stdin, print it with new tables")
    checking = _command(commands, "check", _check, "measured runs beside simulated ones")
    checking.add_argument(
        "--nodes",
        nargs="+",
        metavar="URL",
        help="measure these nodes, which share this machine; QUORUM_API_KEY must be set. "
        "Default: the runs that the constants come from",
    )
    checking.add_argument(
        "--runs", type=argparse.FileType("rb"), help="runs on file, as `bench.nodes` writes them"
    )
    _load_options(checking, [1, 32, 128], [500])
    return parser.parse_args(arguments)


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    found: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    found.set_defaults(run=run)
    if name not in ("measure", "page"):
        found.add_argument("--json", action="store_true", help="print JSON")
        found.add_argument("--markdown", action="store_true", help="print Markdown")
    return found


def _load_options(
    parser: argparse.ArgumentParser, connections: list[int], rates: list[int]
) -> None:
    parser.add_argument("--connections", type=_wholes, default=connections, metavar="N,N,...")
    parser.add_argument("--rates", type=_wholes, default=rates, metavar="N,N,...")
    parser.add_argument("--seconds", type=float, default=6.0)


def _plan_options(parser: argparse.ArgumentParser) -> None:
    of = Demand(1.0)
    parser.add_argument(
        "--per-day", type=_number, nargs="+", default=[], metavar="N", help="such as 100M"
    )
    parser.add_argument(
        "--per-second", type=_number, nargs="+", default=[], metavar="N", help="at the peak"
    )
    parser.add_argument("--peak-to-mean", type=float, default=of.peak_to_mean)
    parser.add_argument(
        "--customers",
        type=_number,
        help="with a payment within two weeks; default: as many as payments a day",
    )
    parser.add_argument("--merchants", type=_number, default=of.merchants)
    parser.add_argument("--retention-days", type=_whole, default=of.retention_days)
    parser.add_argument("--variants", type=_whole, default=of.variants)
    parser.add_argument("--tenants", type=_whole, default=of.tenants)
    parser.add_argument(
        "--largest-tenant", type=float, help="its share of the load; default: all are alike"
    )
    for field in fields(Hardware):
        kind = int if isinstance(field.default, int) else float
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            type=kind,
            default=field.default,
            help="see Hardware in loadtests/capacity/model/demand.py",
        )


def _number(text: str) -> float:
    factor = _SUFFIXES.get(text[-1:].upper())
    value = float(text[:-1]) * factor if factor else float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("expected more than 0, such as 100M")
    return value


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return value


def _wholes(text: str) -> list[int]:
    return [_whole(part) for part in text.split(",") if part]


def _parts(text: str) -> list[str]:
    from loadtests.capacity.measure.all_costs import PARTS

    return names_of(text, PARTS, "parts")
