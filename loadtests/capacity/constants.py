"""The constants of the capacity model: each measured by a command of this folder.

`constants.json` holds them with their units, the command, the date and the machine.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadtests.capacity.measure.link_costs import LinkCosts
from loadtests.capacity.measure.node_costs import NodeCosts
from loadtests.capacity.measure.postgres_costs import PostgresCosts
from loadtests.capacity.measure.redis_costs import RedisCosts

FILE = Path(__file__).with_name("constants.json")


class Source(msgspec.Struct, frozen=True):
    """Where a part of the constants comes from.

    Attributes:
        command: measures the part again.
        measured: UTC, RFC 3339.
        machine: processors, memory and kernel.
    """

    command: str
    measured: str
    machine: str


class Constants(msgspec.Struct, frozen=True):
    """All constants, see the classes of the parts for meaning and units."""

    sources: dict[str, Source]
    redis: RedisCosts
    postgres: PostgresCosts
    links: LinkCosts
    node: NodeCosts


def read_constants(path: Path = FILE) -> Constants:
    """Return the constants of a file.

    Raises:
        OSError: it cannot be read.
        msgspec.ValidationError: it holds something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=Constants)


def write_constants(constants: Constants, path: Path = FILE) -> None:
    """Write the constants to a file."""
    text = msgspec.json.format(msgspec.json.encode(_rounded(constants)), indent=2)
    path.write_bytes(text + b"\n")


def _rounded(value: object) -> object:
    """Return builtins with floats of five digits: more are noise."""
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
