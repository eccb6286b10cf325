"""What `make bench` can be told."""

from __future__ import annotations

import argparse

from loadtests.bench.app import APPS, QUORUM

PAYMENTS = 20_000
"""Ten days of the two thousand customers that `quorum up` makes up."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench",
        description="Quorum beside apps that do the same work: speed, latency, processor time and "
        "memory. A Quorum that runs is used; `quorum up` starts one otherwise.",
    )
    parser.add_argument("--apps", type=_apps, default=list(APPS), metavar="NAME,...")
    parser.add_argument("--connections", type=_numbers, default=[1, 32, 128], metavar="N,N,...")
    parser.add_argument("--rates", type=_numbers, default=[250, 500, 1000], metavar="N,N,...")
    parser.add_argument("--rounds", type=_positive, default=3, help="medians are over these")
    parser.add_argument("--seconds", type=float, default=2.5, help="of each measurement")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds that do not count")
    parser.add_argument(
        "--payments",
        type=_positive,
        default=PAYMENTS,
        help="of the history's end: played once before, and then again and again",
    )
    parser.add_argument("--agree-on", type=_positive, default=300, help="payments to agree on")
    parser.add_argument(
        "--growth", type=_positive, metavar="N", help="memory before and after N decisions more"
    )
    parser.add_argument("--port", type=_positive, default=8100, help="of tuned; docs has the next")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    return parser.parse_args(arguments)


def _apps(text: str) -> list[str]:
    named = text.split(",")
    unknown = sorted(set(named) - set(APPS))
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: the apps are {', '.join(APPS)}")
    if QUORUM not in named:
        raise argparse.ArgumentTypeError(f"{QUORUM} is what the others are compared with")
    return [name for name in APPS if name in named]


def _numbers(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
