"""Aggregates made by hand, without any state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from features.definitions import NAMES
from features.families.view import Flow, Position
from features.state.entities import ROLES, Role
from features.state.read_layout import READ_LAYOUT
from features.state.reading import Reading
from features.transform import transform
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from tests.contracts.payments import DAY_MS, START_MS
from tests.contracts.window_aggregates import WindowAggregates

N_LABEL_WINDOWS, N_LARGEST_WINDOWS, N_NEAR_WINDOWS, N_FLOW_WINDOWS = 3, 3, 2, 2


def no_history(role: Role, n: int) -> WindowAggregates:
    """n states of which every one could be read and is empty."""
    entity = role.entity
    never = np.full(n, -1, dtype=np.int64)
    windows = np.zeros((n, len(entity.windows)), dtype=np.int64)
    met = np.zeros((n, len(entity.partner_windows or entity.windows)), dtype=np.int64)
    partners = [table.partner for table in entity.tables]
    labels = np.zeros((n, N_LABEL_WINDOWS), dtype=np.int64)
    none, flows = np.zeros(n, dtype=np.int64), np.zeros((n, N_FLOW_WINDOWS), dtype=np.int64)
    return WindowAggregates(
        present=np.ones(n, dtype=np.bool_),
        count=windows,
        total=windows,
        squares=windows,
        distinct=dict.fromkeys(partners, met),
        since_ms=never,
        partner_since_s=dict.fromkeys(partners, never),
        known=labels,
        frauds=labels,
        fraud_total=labels,
        fraud_known_age_ms=never,
        fraud_run_age_ms=never,
        largest=np.zeros((n, N_LARGEST_WINDOWS), dtype=np.int64),
        near=np.zeros((n, N_NEAR_WINDOWS), dtype=np.int64),
        category_count=none,
        category_total=none,
        position=Position(none, none, never, none, none, none),
        flow=Flow(flows, flows, flows, flows, never, never),
    )


def random_history(role: Role, n: int, seed: int) -> WindowAggregates:
    """n states that saw anything: nothing, little, much; consistent in itself."""
    rng = np.random.default_rng(seed)
    blank = no_history(role, n)

    def counts(like: Any) -> Any:
        """Non-decreasing along the windows; a third are 0."""
        steps = rng.integers(0, 40, like.shape) * (rng.random(like.shape) < 0.6)
        return np.cumsum(steps, axis=-1) if like.ndim > 1 else steps

    def amounts(many: Any) -> Any:
        return np.where(many > 0, many * rng.integers(1, 10 ** rng.integers(3, 10), many.shape), 0)

    def ages(like: Any) -> Any:
        return np.where(rng.random(n) < 0.7, rng.integers(0, 60 * DAY_MS, n), -1)

    count, known = counts(blank.count), counts(blank.known)
    total = amounts(count)
    frauds = np.minimum(counts(blank.frauds), known)
    in_count, out_count = counts(np.zeros((n, 2))), counts(np.zeros((n, 2)))
    home_n = rng.integers(0, 8, n)
    category_total = counts(blank.category_total)
    return replace(
        blank,
        present=rng.random(n) < 0.9,
        count=count,
        total=total,
        squares=np.where(count > 0, (total / np.maximum(count, 1)) ** 2 / 100 * count, 0).astype(
            np.int64
        )
        + rng.integers(0, 10**6, count.shape),
        distinct={name: counts(seen) for name, seen in blank.distinct.items()},
        since_ms=ages(n),
        partner_since_s={name: ages(n) // 1000 for name in blank.partner_since_s},
        known=known,
        frauds=frauds,
        fraud_total=amounts(frauds),
        fraud_known_age_ms=ages(n),
        fraud_run_age_ms=ages(n),
        largest=np.cumsum(amounts(counts(blank.largest)), axis=1),
        near=counts(blank.near),
        category_count=np.where(
            rng.random(n) < 0.8, np.minimum(counts(category_total), category_total), -1
        ),
        category_total=category_total,
        position=Position(
            rng.integers(-90_000_000, 90_000_001, n),
            rng.integers(-180_000_000, 180_000_001, n),
            ages(n),
            home_n,
            home_n * rng.integers(-90_000_000, 90_000_001, n),
            home_n * rng.integers(-180_000_000, 180_000_001, n),
        ),
        flow=Flow(in_count, amounts(in_count), out_count, amounts(out_count), ages(n), ages(n)),
    )


def random_histories(n: int, seed: int) -> dict[str, WindowAggregates]:
    """One for each role."""
    return {role.name: random_history(role, n, seed + i) for i, role in enumerate(ROLES)}


def rows_of(seen: WindowAggregates, start: int, stop: int) -> WindowAggregates:
    """Rows start .. stop-1."""

    def part(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: part(column) for name, column in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            return type(value)(**{f.name: part(getattr(value, f.name)) for f in fields(value)})
        return np.ascontiguousarray(value[start:stop])

    sliced: WindowAggregates = part(seen)
    return sliced


def payment(**given: Any) -> TransactionBatch:
    """One payment of 100 dollars with some more fields."""
    return TransactionBatch.of(
        "default",
        [replace(Transaction("t", "c", START_MS, 10_000, "USD", "purchase"), **given)],
    )


def reading_of(aggregates: Mapping[str, WindowAggregates], n: int) -> Reading:
    """What would have been read of the states of n rows that say so."""
    blank = Reading.blank(n)
    reading = Reading(blank.seen.copy(), blank.present)
    for r, role in enumerate(ROLES):
        if role.name in aggregates:
            given = aggregates[role.name]
            reading.present[:, r] = given.present
            for name, (first, stop) in READ_LAYOUT.columns.items():
                if name[0] == role.name and (value := _value(given, name[1])) is not None:
                    reading.seen[:, first:stop] = value.reshape(n, stop - first)
    return reading


def _value(given: WindowAggregates, name: str) -> Any:
    """What is called `name` in a reading; None if nobody asks for it."""
    kind, _, partner = name.partition(":")
    if partner in given.distinct:
        return given.distinct[partner] if kind == "distinct" else given.partner_since_s[partner]
    part, _, own = name.partition("_")
    if part in ("position", "flow"):
        return getattr(getattr(given, part), own)
    return getattr(given, name, None)


def features_of(
    batch: TransactionBatch, aggregates: Mapping[str, WindowAggregates]
) -> dict[str, list[float]]:
    """Every feature by its name."""
    values = transform(batch, reading_of(aggregates, len(batch)))
    return {name: values[:, j].tolist() for j, name in enumerate(NAMES)}


def saw(role: str, **given: Any) -> dict[str, WindowAggregates]:
    """One state in that role, empty except for what is given: lists of one row each."""
    one = next(r for r in ROLES if r.name == role)
    arrays = {name: _array(value) for name, value in given.items()}
    return {role: replace(no_history(one, 1), **arrays)}


def _array(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _array(column) for name, column in value.items()}
    return np.array([value], dtype=np.int64) if isinstance(value, int | list) else value


def located(batch: TransactionBatch, seed: int) -> TransactionBatch:
    """The same payments, most of them with coordinates, some with one alone."""
    rng = np.random.default_rng(seed)
    n = len(batch)

    def degrees(limit: float) -> list[float | None]:
        known = rng.random(n) < 0.9
        return [
            float(v) if k else None
            for v, k in zip(rng.uniform(-limit, limit, n), known, strict=True)
        ]

    return replace(batch, latitude=degrees(90.0), longitude=degrees(180.0))


def assert_same(one: object, other: object, where: str) -> None:
    """Every array of two aggregates is the same."""
    names = type(one).__dataclass_fields__  # type: ignore[attr-defined]
    for name in names:
        mine, yours = getattr(one, name), getattr(other, name)
        if isinstance(mine, dict):
            for key, value in mine.items():
                assert np.array_equal(value, yours[key]), (where, name, key)
        elif hasattr(mine, "__dataclass_fields__"):
            assert_same(mine, yours, f"{where}.{name}")
        else:
            assert np.array_equal(mine, yours), (where, name)
