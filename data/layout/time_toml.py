"""Times of a layout out of TOML."""

from __future__ import annotations

from data.cells.texts import Markers, markers
from data.cells.time_format import FormatInvalid, pattern_reader
from data.layout.fields import UNIT_MS, ClockField, TimeField
from data.layout.toml_table import Table

_PER_DAY = ("milliseconds", "seconds", "minutes", "hours")


def time_field(entry: Table, missing: Markers) -> TimeField:
    """Where a time comes from.

    Args:
        missing: texts that stand for nothing, unless the entry lists its own.

    Raises:
        ValueError: names the key.
    """
    if "missing" in entry:
        missing = markers(entry.text_list("missing"))
    if "date" in entry or "time" in entry:
        return _of_two(entry, missing)
    unit = entry.one_of("unit", UNIT_MS)
    columns = _columns(entry)
    row_number = entry.flag("row_number")
    found = TimeField(
        columns=columns,
        unit_ms=None if unit is None else UNIT_MS[unit],
        base_ms=entry.moment_ms("base", 0),
        zone=entry.zone("zone", "UTC"),
        format=_format(entry, of_day=False),
        missing=missing,
    )
    entry.refuse_unread()
    if bool(columns) == row_number:
        raise ValueError(
            f"{entry.where}: needs one of column, columns, date and time, row_number = true"
        )
    if row_number and unit is None:
        raise ValueError(f"{entry.where}.unit: is missing: what does one row stand for?")
    if unit is not None and (len(columns) > 1 or found.format is not None):
        raise ValueError(f"{entry.where}.unit: a count is one column without a format")
    if unit is not None and "zone" in entry:
        raise ValueError(f"{entry.where}.zone: a count has none: it is since `base`, in UTC")
    if unit is None and "base" in entry:
        raise ValueError(f"{entry.where}.base: is of a count, which needs unit")
    return found


def _of_two(entry: Table, missing: Markers) -> TimeField:
    """`date` and `time`: a day in one column, or several, and the time of the day in another."""
    day, time = entry.entry("date"), entry.entry("time")
    unit = time.one_of("unit", _PER_DAY)
    clock = ClockField(
        column=time.text("column"),
        unit_ms=None if unit is None else UNIT_MS[unit],
        format=_format(time, of_day=True),
    )
    found = TimeField(
        columns=_columns(day),
        zone=entry.zone("zone", "UTC"),
        format=_format(day, of_day=False),
        clock=clock,
        missing=missing,
    )
    for part in (entry, day, time):
        part.refuse_unread()
    if not found.columns:
        raise ValueError(f"{day.where}: needs column or columns")
    if unit is not None and clock.format is not None:
        raise ValueError(f"{time.where}.unit: a count has no format")
    return found


def _columns(entry: Table) -> tuple[str, ...]:
    column = entry.text("column", None)
    several = tuple(entry.text_list("columns")) if "columns" in entry else ()
    if column is not None and several:
        raise ValueError(f"{entry.where}.columns: column is there as well")
    return several if column is None else (column,)


def _format(entry: Table, of_day: bool) -> str | None:
    found = entry.text("format", None)
    try:
        if found is not None:
            pattern_reader(found, of_day)
    except FormatInvalid as error:
        raise ValueError(f"{entry.where}.format: {error}") from None
    return found
