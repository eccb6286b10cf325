"""A family of labelled tables: the same kind of data, whoever exports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Values = NDArray[np.float64] | NDArray[np.int64] | NDArray[np.object_]

Style = Literal["english", "french", "short"]
STYLES: tuple[Style, ...] = ("english", "french", "short")
"""How the columns of a table are named."""

IDENTIFIER, TIME, AMOUNT, NUMBER, CATEGORY = "identifier", "time", "amount", "number", "category"


@dataclass(frozen=True, slots=True)
class Field:
    """A column that every member of a family has, under a name of its own.

    Attributes:
        key: how the family calls it.
        kind: `identifier`, `time`, `amount`, `number` or `category`.
        english, french, short: its name in each style.
        decimals: of a number in the file; 0: whole.
        missing: share of empty cells.
    """

    key: str
    kind: str
    english: str
    french: str
    short: str
    decimals: int = 2
    missing: float = 0.0

    def name(self, style: Style) -> str:
        """Its name in a style."""
        return {"english": self.english, "french": self.french, "short": self.short}[style]


@dataclass(frozen=True, slots=True)
class Drawn:
    """n rows before they have a label.

    Attributes:
        values: key -> n values; every field of the family has them, times aside.
        risk: float64[n]: log-odds of the label up to a constant.
    """

    values: dict[str, Values]
    risk: Float64


@dataclass(frozen=True, slots=True)
class Family:
    """A family.

    Attributes:
        about: one line.
        domain: `payments`, or what else its rows are about.
        fields: in the usual order.
        label: names of the label's column by style.
        rate: usual share of rows with a positive label.
        draw: draws rows from the times (seconds since 1970), a generator of randomness and the
            member's `habits`: factors around 1 by which it differs from other members.
        sharpness: factor on the log-odds: how clearly the columns show the label.
        habits: how many of these.
    """

    name: str
    about: str
    domain: str
    fields: tuple[Field, ...]
    label: tuple[str, str, str]
    rate: float
    draw: Callable[[Float64, Generator, Float64], Drawn]
    sharpness: float = 1.0
    habits: int = 4

    def label_name(self, style: Style) -> str:
        """The name of the label's column in a style."""
        return self.label[STYLES.index(style)]


def chosen(rng: Generator, n: int, values: dict[str, float]) -> NDArray[np.object_]:
    """Return n texts, drawn with the given weights."""
    weights = np.array(list(values.values()))
    found = rng.choice(len(values), n, p=weights / weights.sum())
    return np.array(list(values), dtype=object)[found]


def hour_of(at_s: Float64) -> Float64:
    """Return float64[n]: the hour of the day, in [0, 24)."""
    hours: Float64 = at_s % 86_400 / 3600
    return hours


def is_night(at_s: Float64) -> NDArray[np.bool_]:
    """Return bool[n]: from eleven in the evening to five in the morning."""
    hour = hour_of(at_s)
    return (hour < 5) | (hour >= 23)


def codes(prefix: str, digits: int, rng: Generator, n: int) -> NDArray[np.object_]:
    """Return n identifiers that hardly ever repeat: a prefix and digits."""
    numbers = rng.integers(0, 10**digits, n)
    return np.array([f"{prefix}{number:0{digits}d}" for number in numbers], dtype=object)
