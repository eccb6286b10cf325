"""The options of `make bench`."""

from __future__ import annotations

import argparse

from loadtests.arguments import names_of
from loadtests.bench.app import APPS, QUORUM

PAYMENTS = 20_000
"""Ten days of the two thousand customers that `quorum up` generates."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench",
        description="Quorum beside apps that do the same work: speed, latency, processor time and "
        "memory. Uses the running Quorum, or starts one with `quorum up`.",
    )
    parser.add_argument("--apps", type=_apps, default=list(APPS), metavar="NAME,...")
    parser.add_argument("--connections", type=_numbers, default=[1, 32, 128], metavar="N,N,...")
    parser.add_argument("--rates", type=_numbers, default=[250, 500, 1000], metavar="N,N,...")
    parser.add_argument(
        "--rounds",
        type=_positive,
        default=3,
        help="number of rounds; figures are medians over them",
    )
    parser.add_argument("--seconds", type=float, default=2.5, help="length of each measurement")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds that do not count")
    parser.add_argument(
        "--payments",
        type=_positive,
        default=PAYMENTS,
        help="from the end of the history: sent once before measuring, then repeatedly",
    )
    parser.add_argument(
        "--agree-on", type=_positive, default=300, help="payments that apps are compared on"
    )
    parser.add_argument(
        "--growth",
        type=_positive,
        metavar="N",
        help="also measure memory before and after N more decisions",
    )
    parser.add_argument(
        "--port", type=_positive, default=8100, help="port of tuned; docs uses the next one"
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    return parser.parse_args(arguments)


def _apps(text: str) -> list[str]:
    named = names_of(text, APPS, "apps")
    if QUORUM not in named:
        raise argparse.ArgumentTypeError(f"{QUORUM} must be among the apps")
    return [name for name in APPS if name in named]


def _numbers(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
