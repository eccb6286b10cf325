"""Times by a pattern of strptime directives, whatever the locale and zone of the machine."""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
_DATE_CHARS: Final = 10
_EPOCH: Final = date(1970, 1, 1).toordinal()

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_FULL = "january february march april may june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_TOGETHER = {"T": "%H:%M:%S", "R": "%H:%M", "F": "%Y-%m-%d", "D": "%m/%d/%y"}
_DIGITS: Final = {
    "Y": (4, 4), "y": (2, 2), "m": (1, 2), "d": (1, 2), "e": (1, 2), "H": (1, 2), "I": (1, 2),
    "M": (1, 2), "S": (1, 2), "j": (1, 3), "f": (1, 9),
}  # fmt: skip
"""Directive -> its least and its largest number of digits. Adjacent ones have the largest."""
_WORDS: Final = {
    "b": f"(?:{'|'.join(_MONTHS)})[a-z]*\\.?",
    "B": f"(?:{_FULL.replace(' ', '|')}|{'|'.join(_MONTHS)})",
    "a": r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?",
    "A": f"(?:{_DAYS.replace(' ', '|')})",
    "p": r"[ap]\.?m\.?",
    "z": r"z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?",
    "Z": r"[a-z]+(?:/[a-z_+-]+)*|",
}
_ISO_SHAPE = re.compile(r"[\dW-]{7,10}(?:[Tt ].+)?", re.ASCII)
_DIRECTIVE = re.compile(r"%(-?)(.)")
_UTC_NAMES = frozenset({"UTC", "GMT", "UT", "Z"})


class Reading(NamedTuple):
    """A time as a text gives it.

    Attributes:
        wall_ms: wall-clock time, milliseconds since the clock showed 1970-01-01.
        offset_ms: offset of the clock from UTC; None if the text gives none.
        name: name of the zone, if the text gives a name and no offset.
        is_day: the text is a day without a time.
    """

    wall_ms: int
    offset_ms: int | None
    name: str | None = None
    is_day: bool = False


Reader = Callable[[str], Reading | None]


class FormatInvalid(ValueError):
    """A pattern that does not determine a time. The message says what is missing or wrong."""


@lru_cache(maxsize=4096)
def pattern_reader(pattern: str, of_day: bool = False) -> Reader:
    """Return a reader of texts that match `pattern`.

    Args:
        of_day: the texts are times of the day, without a date.

    Raises:
        FormatInvalid: a directive is unknown, or a necessary one is missing.
    """
    expression, names = _expression(pattern)
    _check(names, of_day)
    width = _fixed_width(pattern)

    def read(text: str) -> Reading | None:
        if width and len(text) < width and text.isdigit() and text.isascii():
            text = text.zfill(width)  # a number lost its leading zeros
        found = expression.fullmatch(text)
        return None if found is None else _reading(found, of_day)

    return read


def iso(text: str) -> Reading | None:
    """Read ISO 8601, also with ` UTC` after it or a space before its offset."""
    # datetime takes any character between date and time: 2024-07-01+02:00 would be 2:00.
    if not _ISO_SHAPE.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        named_utc = re.fullmatch(r"(.*\d) ?(?:UTC|GMT|Z)", text)
        plain = f"{named_utc[1]}+00:00" if named_utc else re.sub(r" (?=[+-]\d\d:?\d*$)", "", text)
        try:
            at = datetime.fromisoformat(plain)
        except ValueError:
            return None
    reading = _of_datetime(at)
    return reading if len(text) > _DATE_CHARS else reading._replace(is_day=True)


def iso_time(text: str) -> Reading | None:
    """Read a time of the day in ISO 8601."""
    return iso(f"1970-01-01T{text}") if re.match(r"\d\d:?\d\d", text) else None


def century(two_digits: int, today: date | None = None) -> int:
    """Return the year of a payment from its last two digits. It is not in the future.

    >>> century(68, date(2026, 5, 1)), century(26, date(2026, 5, 1)), century(27, date(2026, 5, 1))
    (1968, 2026, 1927)
    """
    now = (today or datetime.now(UTC).date()).year
    year = now - now % 100 + two_digits
    return year if year <= now else year - 100


def _of_datetime(at: datetime) -> Reading:
    second = (at.hour * 60 + at.minute) * 60 + at.second
    wall_ms = (at.toordinal() - _EPOCH) * DAY_MS + second * 1000 + at.microsecond // 1000
    if at.tzinfo is None:
        return Reading(wall_ms, None)
    offset = at.utcoffset()
    return Reading(wall_ms, None if offset is None else offset // timedelta(milliseconds=1))


def _expression(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    for short, long in _TOGETHER.items():
        pattern = pattern.replace(f"%{short}", long)
    parts, names, end = [], [], 0
    found = list(_DIRECTIVE.finditer(pattern))
    for i, one in enumerate(found):
        parts.append(_literal(pattern[end : one.start()]))
        end, name = one.end(), one[2]
        close = (i + 1 < len(found) and found[i + 1].start() == end) or (
            i > 0 and found[i - 1].end() == one.start()
        )
        if name == "%":
            parts.append("%")
        elif name in names:
            raise FormatInvalid(f"has %{name} twice")
        elif name in _DIGITS:
            least, most = _DIGITS[name]
            least = most if close and name != "f" and not one[1] else least
            parts.append(f"(?P<{name}>[0-9]{{{least},{most}}})")
            names.append(name)
        elif name in _WORDS:
            parts.append(f"(?P<{name}>{_WORDS[name]})")
            names.append(name)
        else:
            raise FormatInvalid(f"has the unknown directive %{name}")
    parts.append(_literal(pattern[end:]))
    return re.compile("".join(parts), re.IGNORECASE | re.ASCII), names


def _literal(text: str) -> str:
    parts = re.split(r"(\s+)", text)
    return "".join(r"\s+" if part.isspace() else re.escape(part) for part in parts)


def _check(names: list[str], of_day: bool) -> None:
    has = set(names)
    if not of_day and not has & {"Y", "y"}:
        raise FormatInvalid("has no year, %Y or %y")
    if not of_day and not has & {"m", "b", "B", "j"}:
        raise FormatInvalid("has no month, %m or %b")
    if of_day and has & {"Y", "y", "m", "b", "B", "d", "e", "j"}:
        raise FormatInvalid("must have no date: it is for a time of the day")
    if of_day and not has & {"H", "I"}:
        raise FormatInvalid("has no hour, %H")
    if ("I" in has) != ("p" in has):
        raise FormatInvalid("needs %I and %p together; hours of 0 to 23 are %H")
    if {"M", "S"} & has and not has & {"H", "I"}:
        raise FormatInvalid("has minutes or seconds without an hour")


def _fixed_width(pattern: str) -> int:
    """The number of digits of a pattern that is all digits, such as %H%M%S; 0 for others."""
    for short, long in _TOGETHER.items():
        pattern = pattern.replace(f"%{short}", long)
    names = re.fullmatch(r"(?:%[YymdeHMSj])+", pattern)
    return sum(_DIGITS[name][1] for name in names[0][1::2]) if names else 0


def _reading(found: re.Match[str], of_day: bool) -> Reading | None:
    parts = found.groupdict()
    day = 0 if of_day else _day(parts)
    clock = _clock_ms(parts)
    if day is None or clock is None or not _weekday_fits(parts, day):
        return None
    name = parts.get("Z") or None
    offset = _offset_ms(parts.get("z"))
    if name is not None and name.upper() in _UTC_NAMES:
        offset, name = (0 if offset is None else offset), None
    is_day = not of_day and not parts.keys() & {"H", "I"}
    return Reading(day * DAY_MS + clock, offset, None if offset is not None else name, is_day)


def _day(parts: dict[str, str]) -> int | None:
    """Days since 1970."""
    year = int(parts["Y"]) if parts.get("Y") else century(int(parts["y"]))
    try:
        if parts.get("j"):
            of_year = int(parts["j"])
            if not 1 <= of_year <= 365 + isleap(year):
                return None
            return date(year, 1, 1).toordinal() + of_year - 1 - _EPOCH
        named = parts.get("b") or parts.get("B")
        month = _MONTHS.index(named[:3].lower()) + 1 if named else int(parts["m"])
        day = int(parts.get("d") or parts.get("e") or 1)
        return date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None


def _weekday_fits(parts: dict[str, str], day: int) -> bool:
    named = parts.get("a") or parts.get("A")
    return named is None or _DAYS.split()[(day + 3) % 7][:3] == named[:3].lower()


def _clock_ms(parts: dict[str, str]) -> int | None:
    hour = int(parts.get("H") or parts.get("I") or 0)
    if parts.get("I"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["p"][0].lower() == "p" else 0)
    minute, second = int(parts.get("M") or 0), int(parts.get("S") or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    part = int((parts.get("f") or "0").ljust(3, "0")[:3])
    return (hour * 60 + minute) * MINUTE_MS + second * 1000 + part


def _offset_ms(text: str | None) -> int | None:
    if not text:
        return None
    if text in "zZ":
        return 0
    digits = re.sub(r"\D", "", text).ljust(6, "0")
    seconds = (int(digits[:2]) * 60 + int(digits[2:4])) * 60 + int(digits[4:])
    return -seconds * 1000 if text[0] == "-" else seconds * 1000
