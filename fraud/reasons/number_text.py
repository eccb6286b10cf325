"""Numbers as text, as a payment analyst would write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fraud.payment.currency import EXPONENT, to_major

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SLACK_MINUTES = 1e-4
"""Rounding error of an hour of the day in float32; less than a hundredth of a second."""
_DURATIONS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_WHOLE_MONEY = 10_000
"""Amounts from this on are written without decimals: features are float32, cents do not matter."""
_LEAST_DECIMALS, _MOST_DECIMALS = 3, 9
_FIGURES = 6
"""Significant digits that a float32 certainly holds."""


def number(value: float) -> str:
    """Write a number with two or three digits; whole from 100 on.

    >>> number(0.0312), number(2.0), number(8.349), number(1234567.0), number(0.00042)
    ('0.031', '2', '8.3', '1,234,570', '0.00042')
    """
    size = abs(value)
    if size >= 100:
        return _grouped(value)
    decimals = 1 if size >= 1 else 2 if size >= 0.1 else _LEAST_DECIMALS
    if 0 < size < 0.01:
        # A value above zero never reads as zero.
        decimals = min(max(_LEAST_DECIMALS, 1 - math.floor(math.log10(size))), _MOST_DECIMALS)
    return _without_zeros(f"{value:.{decimals}f}")


def whole(value: float) -> str:
    """Write a count; with one decimal if it is a mean of counts.

    >>> whole(12.0), whole(1.25), whole(4321.0), whole(0.004)
    ('12', '1.2', '4,321', '0.004')
    """
    return f"{value:,.0f}" if value == round(value) else number(value)


def money(value: float, currency: str) -> str:
    """Write an amount in currency units, with the currency's decimals below 10,000.

    >>> money(129.90000152587891, "EUR"), money(1299.0, "JPY"), money(123456.78, "USD")
    ('129.90', '1,299', '123,457')
    """
    if abs(value) >= _WHOLE_MONEY:
        return _grouped(value)
    return f"{value:,.{EXPONENT.get(currency, 2)}f}"


def exact_money(amount_minor: int, currency: str) -> str:
    """Write an amount to the last digit, with its currency.

    >>> exact_money(12990, "EUR"), exact_money(1299, "JPY"), exact_money(123456789, "KWD")
    ('129.90 EUR', '1,299 JPY', '123,456.789 KWD')
    """
    return f"{to_major(amount_minor, currency):,f} {currency}"


def percent(value: float) -> str:
    """Write a share in [0, 1] in percent, without the sign.

    >>> percent(0.4), percent(0.0042), percent(0.00004), percent(0.0), percent(0.998)
    ('40', '0.42', 'less than 0.01', '0', 'more than 99')
    """
    if 0 < value < 0.0001:
        return "less than 0.01"
    if 0.995 <= value < 1:
        return "more than 99"
    share = 100 * value
    return _without_zeros(f"{share:.0f}" if share >= 10 else f"{share:.2g}")


def duration(seconds: float) -> str:
    """Write a duration in the largest unit that it fills.

    >>> duration(0.4), duration(61.0), duration(5400.0), duration(864000.0)
    ('less than a second', '1 minute', '1.5 hours', '10 days')
    """
    for size, name in _DURATIONS:
        if seconds >= size:
            many = seconds / size
            text = _without_zeros(f"{many:.1f}") if many < 9.95 and size >= 3600 else f"{many:.0f}"
            return f"{text} {name if text == '1' else name + 's'}"
    return "less than a second"


def clock(hour: float) -> str:
    """Write an hour of the day with its fraction as a clock shows it.

    >>> clock(3.25), clock(23.9999)
    ('03:15', '23:59')
    """
    # A float32 may lie a little below its minute, or round up to the end of the day.
    minutes = min(int(hour * 60 + _SLACK_MINUTES), 1439)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def plural(count: str, noun: str) -> str:
    """Write a count with its noun.

    >>> plural("1", "payment"), plural("0", "country"), plural("1.2", "fraud")
    ('1 payment', '0 countries', '1.2 frauds')
    """
    if count in ("1", "+1", "-1"):
        return f"{count} {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") else f"{count} {noun}s"


@dataclass(frozen=True, slots=True)
class Unit:
    """How values of one kind are written.

    Attributes:
        write: a value without its unit; the second argument is the payment's currency, "" for none.
        suffix: the unit, written after a value or a range.
        noun: what is counted, in the singular; "" if nothing is.
        is_money: values are in the payment's currency, and compare with that currency only.
    """

    write: Callable[[float, str], str]
    suffix: str = ""
    noun: str = ""
    is_money: bool = False

    def value(self, value: float, currency: str) -> str:
        """Write a value with its unit.

        >>> count_of("payment").value(1.0, "EUR"), MONEY.value(9.5, "EUR"), KMH.value(940.2, "EUR")
        ('1 payment', '9.50 EUR', '940 km/h')
        """
        text = self.write(value, currency)
        return plural(text, self.noun) if self.noun else text + self._unit(currency)

    def range(self, low: float, high: float, currency: str) -> str:
        """Write a range with its unit; one value if both ends read the same.

        >>> MONEY.range(9.5, 200.0, "EUR"), count_of("payment").range(0.0, 2.0, "EUR")
        ('9.50 to 200.00 EUR', '0 to 2')
        """
        first, last = self.write(low, currency), self.write(high, currency)
        return (first if first == last else f"{first} to {last}") + self._unit(currency)

    def _unit(self, currency: str) -> str:
        return f" {currency}" if self.is_money and currency else self.suffix


def count_of(noun: str) -> Unit:
    """Return the unit of counts of a noun."""
    return Unit(lambda value, _: whole(value), noun=noun)


def _plain(write: Callable[[float], str], suffix: str = "") -> Unit:
    return Unit(lambda value, _: write(value), suffix)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value)}"


MONEY = Unit(money, is_money=True)
TIMES = _plain(number, " times")
PERCENT = _plain(percent, " %")
DURATION = _plain(duration)
CLOCK = _plain(clock)
WEEKDAY = _plain(lambda value: WEEKDAYS[int(value) % 7])
KM = _plain(number, " km")
KMH = _plain(number, " km/h")
DEVIATIONS = Unit(lambda value, _: _signed(value), noun="standard deviation")
NUMBER = _plain(number)


def _grouped(value: float) -> str:
    size = abs(value)
    digits = 0 if size < 1 else math.floor(math.log10(size)) + 1
    step = 10 ** max(0, digits - _FIGURES)
    return f"{round(value / step) * step:,.0f}"


def _without_zeros(text: str) -> str:
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short == "-0" else short
