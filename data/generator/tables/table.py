"""A member of a family: one labelled table, with names, order, scale and units of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.random import Generator

from data.generator.tables.family import (
    AMOUNT,
    CATEGORY,
    IDENTIFIER,
    STYLES,
    TIME,
    Family,
    Field,
    Float64,
    Style,
    Values,
)

START_S = int(datetime(2025, 1, 6, tzinfo=UTC).timestamp())
"""When the tables of the first period begin, seconds since 1970."""

_DAY_S = 86_400
_TIMES, _ROWS, _LABELS, _SHAPE, _GAPS, _EXTRAS = range(6)
_EXTRA_NAMES = {
    "english": ("batch_number", "store_region", "loyalty_points", "terminal_software"),
    "french": ("numero_lot", "region_magasin", "points_fidelite", "version_logiciel"),
    "short": ("btch", "regn", "loy_pts", "sw_ver"),
}
_REGIONS = ("north", "south", "east", "west")
_VERSIONS = ("4.1.0", "4.1.2", "4.2.0", "5.0.1")


@dataclass(frozen=True, slots=True)
class TableSpec:
    """Which member of a family to generate.

    Attributes:
        seed: decides rows, habits and order; the same spec gives the same table.
        rows: how many.
        rate: share of rows with a positive label, below 0.5; None: the family's.
        style: how columns are named.
        days: length of the period; start_s: its begin, seconds since 1970.
        cents: amounts are in cents.
        times: how times are written: ISO 8601, seconds since 1970, or `day_month` such as
            `31/01/2025 23:59:59`.
        labels: texts of the label: genuine, then positive.
        extras: columns beside the family's that say nothing, 0 to 4.
        shuffled: the columns are in an order of their own.
        left_out: fields by key that this member does not have.
    """

    family: Family
    seed: int = 0
    rows: int = 10_000
    rate: float | None = None
    style: Style = "english"
    days: int = 90
    start_s: int = START_S
    cents: bool = False
    times: Literal["iso", "epoch", "day_month"] = "iso"
    labels: tuple[str, str] = ("0", "1")
    extras: int = 0
    shuffled: bool = False
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rows < 1 or self.seed < 0 or self.days < 1:
            raise ValueError("rows and days must be at least 1, and seed at least 0")
        if not 0 < self.positive_rate < 0.5:
            raise ValueError("rate must be above 0 and below 0.5")
        if not 0 <= self.extras <= len(_REGIONS):
            raise ValueError("extras must be 0 to 4")

    @property
    def positive_rate(self) -> float:
        """The wanted share of rows with a positive label."""
        return self.family.rate if self.rate is None else self.rate

    def random(self, purpose: int) -> Generator:
        """A generator of randomness for one purpose: purposes do not depend on each other."""
        family = int.from_bytes(hashlib.sha256(self.family.name.encode()).digest()[:4], "big")
        return np.random.Generator(np.random.PCG64([family, self.seed, purpose]))


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """A generated table.

    Attributes:
        table: rows in the order of time, with the label's column.
        label: its name; positive: the text of it that means fraud, default, and so on.
        names: the family's key -> name of the column here.
        odds: float64[n]: the true log-odds of the label: no model can rank better.
    """

    table: pa.Table
    label: str
    positive: str
    names: dict[str, str]
    odds: Float64

    @property
    def is_positive(self) -> np.ndarray:
        """bool[n]: the label."""
        texts = self.table[self.label].to_pylist()
        return np.array([text == self.positive for text in texts], np.bool_)

    def write(self, path: Path) -> Path:
        """Write it as Parquet or, by the ending of the name, CSV; return the path."""
        if path.suffix == ".parquet":
            pq.write_table(self.table, path)
        else:
            pc.write_csv(self.table, path)
        return path


def generate_table(spec: TableSpec) -> LabelledTable:
    """Return the table of a spec.

    The label is drawn by the log-odds that the family computes from the columns, shifted so that
    the rate comes out: members with other rates share one mechanism.
    """
    times = spec.random(_TIMES)
    at_s = np.sort(spec.start_s + np.floor(times.random(spec.rows) * spec.days * _DAY_S))
    shape = spec.random(_SHAPE)
    habits = np.exp(shape.normal(0, 0.12, spec.family.habits))
    drawn = spec.family.draw(at_s, spec.random(_ROWS), habits)
    risk = drawn.risk * spec.family.sharpness
    odds = risk + _shift(risk, spec.positive_rate)
    positive = spec.random(_LABELS).random(spec.rows) < 1 / (1 + np.exp(-odds))
    gaps = spec.random(_GAPS)
    columns: dict[str, pa.Array] = {}
    names: dict[str, str] = {}
    for field in spec.family.fields:
        values = at_s if field.kind == TIME else drawn.values[field.key]
        empty = gaps.random(spec.rows) < field.missing
        if field.key not in spec.left_out:
            names[field.key] = field.name(spec.style)
            columns[names[field.key]] = _column(field, values, empty, spec)
    columns |= _extras(spec)
    label = spec.family.label_name(spec.style)
    columns[label] = pa.array(np.where(positive, spec.labels[1], spec.labels[0]).tolist())
    order = list(columns)
    if spec.shuffled:
        order = [order[i] for i in shape.permutation(len(order))]
    return LabelledTable(
        pa.table({name: columns[name] for name in order}), label, spec.labels[1], names, odds
    )


def _shift(risk: Float64, rate: float) -> float:
    """The constant that gives log-odds the mean probability `rate`, by bisection."""
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        if float((1 / (1 + np.exp(-(risk + middle)))).mean()) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _column(field: Field, values: Values, empty: np.ndarray, spec: TableSpec) -> pa.Array:
    if field.kind == TIME:
        return _times(np.asarray(values, np.float64), spec)
    if field.kind in (CATEGORY, IDENTIFIER):
        return pa.array(values.tolist(), mask=empty)
    number = np.asarray(values, np.float64)
    if field.kind == AMOUNT and spec.cents:
        return pa.array(np.rint(number * 100).astype(np.int64), mask=empty)
    if field.decimals == 0:
        return pa.array(np.rint(number).astype(np.int64), mask=empty)
    return pa.array(np.round(number, field.decimals), mask=empty)


def _times(at_s: Float64, spec: TableSpec) -> pa.Array:
    if spec.times == "epoch":
        return pa.array(at_s.astype(np.int64))
    pattern = "%Y-%m-%dT%H:%M:%SZ" if spec.times == "iso" else "%d/%m/%Y %H:%M:%S"
    return pa.array([datetime.fromtimestamp(at, UTC).strftime(pattern) for at in at_s.tolist()])


def _extras(spec: TableSpec) -> dict[str, pa.Array]:
    """Columns that say nothing about the label."""
    rng, n = spec.random(_EXTRAS), spec.rows
    drawn = (
        pa.array(rng.integers(1, 400, n)),
        pa.array(np.array(_REGIONS)[rng.integers(0, len(_REGIONS), n)].tolist()),
        pa.array(np.round(rng.gamma(1.2, 80.0, n), 1)),
        pa.array(np.array(_VERSIONS)[rng.integers(0, len(_VERSIONS), n)].tolist()),
    )
    return dict(list(zip(_EXTRA_NAMES[spec.style], drawn, strict=True))[: spec.extras])


def member(family: Family, number: int, rows: int = 10_000) -> TableSpec:
    """Return the spec of a family's member: members differ in everything that a spec can say."""
    rng = np.random.Generator(np.random.PCG64([number, 77]))
    rate = family.rate * float(np.exp(rng.normal(0, 0.35)))
    texts = (("0", "1"), ("No", "Yes"), ("0", "1"), ("false", "true"), ("N", "Y"))
    return TableSpec(
        family=family,
        seed=1000 + number,
        rows=rows,
        rate=min(rate, 0.4),
        style=STYLES[number % len(STYLES)],
        days=int(rng.integers(40, 150)),
        start_s=START_S + int(rng.integers(0, 400)) * _DAY_S,
        cents=bool(rng.random() < 0.3),
        times=("iso", "epoch", "day_month")[int(rng.integers(0, 3))],
        labels=texts[int(rng.integers(0, len(texts)))],
        extras=int(rng.integers(0, 5)),
        shuffled=number > 0,
    )
