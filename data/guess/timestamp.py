"""The columns that hold the time of a payment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from data.guess.column import Column
from data.guess.column_names import confidence, normalised

_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class TimestampGuess:
    """The time of a payment.

    Attributes:
        toml: the value of `timestamp` in a layout, as nested tables.
        columns: the columns that it reads.
        notes: what the user should check.
    """

    toml: dict[str, object]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()


def guess_timestamp(columns: list[Column]) -> TimestampGuess:
    """Return the most likely time of payments; the row number if there is none."""
    named = [(confidence("timestamp", c.name), c) for c in columns]
    dated = [(p, c) for p, c in named if c.is_arrow_time or c.patterns or (p and c.epoch_unit)]
    if dated:
        # A fitting name counts first, then a time of the day.
        _, best = max(dated, key=lambda pair: (min(pair[0], 1), pair[1].has_clock, pair[0]))
        clock = None if best.has_clock or best.epoch_unit else _clock(columns, best)
        found = _dated(best, clock)
        if best.has_zone or best.epoch_unit:
            return found
        zoneless = f"{best.name} has no time zone: UTC is assumed; check, or set zone"
        return replace(found, notes=(*found.notes, zoneless))
    counts = [(p, c) for p, c in named if p and c.is_number and c.range[0] >= 0]
    if counts:
        _, best = max(counts, key=lambda pair: pair[0])
        unit = count_unit(best)
        return TimestampGuess(
            {"column": best.name, "unit": unit, "base": "2020-01-01T00:00:00Z"},
            (best.name,),
            (f"the file does not show what {best.name} counts and from when: check unit and base",),
        )
    return TimestampGuess(
        {"row_number": True, "unit": "minutes", "base": "2020-01-01T00:00:00Z"},
        (),
        ("no column holds a time: each row counts as a minute, in the order of the file",),
    )


def _dated(column: Column, clock: dict[str, object] | None) -> TimestampGuess:
    value: dict[str, object] = {"column": column.name}
    notes: list[str] = []
    patterns = column.patterns
    if not column.is_arrow_time and patterns and patterns[0]:
        value["format"] = patterns[0]
        other = [p for p in patterns[1:] if p.replace("-", "/")[:5] != patterns[0][:5]]
        swapped = {patterns[0].replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")}
        if swapped & set(other):
            notes.append(f"{swapped.pop()} fits as well: check which number is the month")
    elif not column.is_arrow_time and not patterns and column.epoch_unit:
        value["unit"] = column.epoch_unit
    if clock is None:
        if not column.is_arrow_time and not column.epoch_unit and not column.has_clock:
            notes.append(f"{column.name} has no time of the day")
        return TimestampGuess(value, (column.name,), tuple(notes))
    both: dict[str, object] = {"date": value, "time": clock}
    return TimestampGuess(both, (column.name, str(clock["column"])), tuple(notes))


def _clock(columns: list[Column], day: Column) -> dict[str, object] | None:
    """A second column that holds the time of the day."""
    for column in columns:
        plain = normalised(column.name)
        has_name = any(word in plain for word in ("time", "hour", "clock", "zeit", "heure", "hora"))
        if column is day or not (has_name or "min" in plain.split("_")):
            continue
        if column.is_number and column.is_whole:
            found = _counted_clock(column, plain)
            if found:
                return found
        elif column.time_pattern:
            return {"column": column.name, "format": column.time_pattern}
    return None


def _counted_clock(column: Column, plain: str) -> dict[str, object] | None:
    low, high = column.range
    if low < 0:
        return None
    if "min" in plain and high < 1440:
        return {"column": column.name, "unit": "minutes"}
    # 143207 is a time of the day if no pair of its digits exceeds 59.
    pairs = {(int(v) // 100) % 100 for v in column.values} | {int(v) % 100 for v in column.values}
    if 2400 <= high < 240_000 and max(pairs) < 60 and "sec" not in plain:
        return {"column": column.name, "format": "%H%M%S"}
    if high < 2400 and max(int(v) % 100 for v in column.values) < 60 and high > 23:
        return {"column": column.name, "format": "%H%M"}
    if high < 24:
        return {"column": column.name, "unit": "hours"}
    return {"column": column.name, "unit": "seconds"} if high < _DAY_S else None


def count_unit(column: Column) -> str:
    """Return what a count of time since an unknown start counts: seconds, minutes, hours, days."""
    plain, high = normalised(column.name), column.range[1]
    for word, unit in (("sec", "seconds"), ("min", "minutes"), ("hour", "hours"), ("day", "days")):
        if word in plain:
            return unit
    if "step" in plain.split("_"):
        return "hours"
    return "days" if column.is_whole and high < 2000 else "seconds"
