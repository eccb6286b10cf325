"""What is read from states, as flat numbers for the compiled loop of `reading.py`.

An argument of the loop, for the reason given in `fold_layout.py`. Offsets count 32-bit words of a
row's record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from features.state.entities import HEADER_BYTES, ID_COLUMNS, ROLES, Role
from features.state.fold_layout import CODES, HOWS
from features.state.rings import LAT_SHIFT, LON_SHIFT
from features.state.snapshot import OFFSETS
from features.state.windows import DAY_MS, HORIZON_MS, RUN_GAP_DAYS
from fraud.payment.batch import Int64

HEAD = 3
"""Numbers before those of the first role: the horizon in ms; the most days between frauds of one
run; a day in ms. The numbers of each role begin with how many follow."""


@dataclass
class ReadLayout:
    """Where the numbers read for a row lie.

    Attributes:
        numbers: int64[...], read by the loop in order.
        columns: (role, name) -> its first column and the one after its last. Names are those of
            `families.view.VIEW`, and `distinct:<partner>` and `since:<partner>` for partners.
        blank: int64[width]: the numbers of roles in which a row touches nothing.
    """

    numbers: Int64
    columns: dict[tuple[str, str], tuple[int, int]]
    blank: Int64


@dataclass
class _Columns:
    """Assigns columns."""

    role: str
    given: dict[tuple[str, str], tuple[int, int]]
    blank: list[int] = field(default_factory=list)

    def of(self, name: str, width: int = 1, blank: int = 0) -> int:
        """Assign `width` columns to `name`. Returns the first."""
        first = len(self.blank)
        self.given[self.role, name] = first, first + width
        self.blank += [blank] * width
        return first


def _build() -> ReadLayout:
    columns: dict[tuple[str, str], tuple[int, int]] = {}
    blank: list[int] = []
    numbers = [HORIZON_MS, RUN_GAP_DAYS, DAY_MS]
    for role in ROLES:
        of_role = _Columns(role.name, columns, blank)
        own = list(_of_role(role, of_role))
        numbers += [len(own), *own]
    return ReadLayout(np.array(numbers, dtype=np.int64), columns, np.array(blank, dtype=np.int64))


def _of_role(role: Role, columns: _Columns) -> Iterator[int]:
    """Word of the state; then the numbers of `_times`, `_segments`, `_tables`, `_labels`,
    `_categories` and `_position`."""
    yield OFFSETS[role.name] // 4
    yield from _times(role, columns)
    yield from _segments(role, columns)
    yield from _tables(role, columns)
    yield from _labels(role, columns)
    yield from _categories(role, columns)
    yield from _position(role, columns)


def _times(role: Role, columns: _Columns) -> Iterator[int]:
    """Number of times; of each its word in the state, its column."""
    entity = role.entity
    kept = [("since_ms", 0)]
    kept += [(_TIMES[stamp], HEADER_BYTES + 8 * i) for i, stamp in enumerate(entity.stamps)]
    if entity.located:
        kept.append(("position_since_ms", entity.position_offset))
    yield len(kept)
    for name, offset in kept:
        yield from (offset // 4, columns.of(name, blank=-1))


_NAMES = {
    ("amounts", "count"): "count",
    ("amounts", "sum"): "total",
    ("amounts", "squares"): "squares",
    ("labels", "known"): "known",
    ("labels", "frauds"): "frauds",
    ("labels", "sum"): "fraud_total",
    ("near", "count"): "near",
    ("largest", "largest"): "largest",
    ("positions", "count"): "position_home_n",
    ("positions", "lat"): "position_home_lat_e6_sum",
    ("positions", "lon"): "position_home_lon_e6_sum",
    ("inflow", "count"): "flow_in_count",
    ("inflow", "sum"): "flow_in_total",
    ("outflow", "count"): "flow_out_count",
    ("outflow", "sum"): "flow_out_total",
}
_TIMES = {"in_last_ms": "flow_in_since_ms", "out_last_ms": "flow_out_since_ms"}


def _segments(role: Role, columns: _Columns) -> Iterator[int]:
    """One segment for each window of each group except categories. Their number; of each first
    word, words of a tile, tile in ms, slots, tiles of the window, whether it holds labels, number
    of fields; of each field how it adds up, its code, its word in the tile, its column."""
    groups = [g for g in role.entity.groups.values() if g.name != "categories"]
    yield sum(len(group.windows) for group in groups)
    for group in groups:
        fields = group.kind.fields
        names = [_NAMES.get((group.name, f.name), f"{group.name}:{f.name}") for f in fields]
        firsts = [columns.of(name, len(group.windows)) for name in names]
        for w, window in enumerate(group.windows):
            ring = group.rings[group.ring_of(window)]
            yield from (ring.offset // 4, group.kind.struct.size // 4, ring.tile_ms, ring.slots)
            yield from (window.tiles, not group.kind.when, len(fields))
            for f, first in zip(fields, firsts, strict=True):
                how = HOWS.index("max" if f.how == "max" else "add")
                yield from (how, CODES.index(f.code), group.kind.word_of(f) + 1, first + w)


def _tables(role: Role, columns: _Columns) -> Iterator[int]:
    """Number of tables. Of each first word, capacity, which id of the row is looked up, column of
    the time since it was met, column of the first distinct count, number of windows, of each its
    seconds."""
    yield len(role.entity.tables)
    spans = role.entity.spans_s.tolist()
    for table in role.entity.tables:
        yield from (table.offset // 4, table.capacity, ID_COLUMNS.index(role.lookup_column(table)))
        yield columns.of(f"since:{table.partner}", blank=-1)
        yield columns.of(f"distinct:{table.partner}", len(spans))
        yield len(spans)
        yield from spans


def _labels(role: Role, columns: _Columns) -> Iterator[int]:
    """Number of rings, 0 without labels; columns of both ages, first column of the counts of frauds
    and the one after the last; of each ring first word, tile in ms, slots."""
    group = role.entity.groups.get("labels")
    if group is None:
        yield 0
        return
    yield len(group.rings)
    yield columns.of("fraud_known_age_ms", blank=-1)
    yield columns.of("fraud_run_age_ms", blank=-1)
    yield from columns.given[role.name, "frauds"]
    for ring in group.rings:
        yield from (ring.offset // 4, ring.tile_ms, ring.slots)


def _categories(role: Role, columns: _Columns) -> Iterator[int]:
    """Whether there are categories; first word, words of a tile, tile in ms, slots, counters,
    columns of this category's count and of the total."""
    group = role.entity.groups.get("categories")
    if group is None:
        yield 0
        return
    (ring,) = group.rings
    yield from (1, ring.offset // 4, group.kind.struct.size // 4, ring.tile_ms, ring.slots)
    yield group.kind.fields[0].width
    yield columns.of("category_count", blank=-1)
    yield columns.of("category_total")


def _position(role: Role, columns: _Columns) -> Iterator[int]:
    """Whether there is a position; its word, columns of its age, latitude and longitude, of the
    home's number and sums of both; the shifts of both."""
    if not role.entity.located:
        yield 0
        return
    yield from (1, role.entity.position_offset // 4)
    own = {name: span[0] for (of, name), span in columns.given.items() if of == role.name}
    yield own["position_since_ms"]
    yield columns.of("position_lat_e6")
    yield columns.of("position_lon_e6")
    home = "position_home_n", "position_home_lat_e6_sum", "position_home_lon_e6_sum"
    yield from (*(own[name] for name in home), LAT_SHIFT, LON_SHIFT)


READ_LAYOUT = _build()
