"""Guard rails: the bands within which an arm must stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fraud.document import RANGE, Place, is_number
from fraud.policy.health import Health

ERROR_RATE: Final = "error_rate"
P95: Final = "p95"
BLOCK_RATE: Final = "block_rate"
"""Names of the bands."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A band that an arm has left.

    Attributes:
        band: `ERROR_RATE`, `P95` or `BLOCK_RATE`.
        detail: its figure and its limit, as the end of a sentence.
    """

    band: str
    detail: str

    def __str__(self) -> str:
        return self.detail


@dataclass(frozen=True, slots=True)
class Guard:
    """Bands of an arm's figures over the last minutes. An arm that leaves one is taken out.

    Attributes:
        max_error_rate: largest share of decisions that lack a vote of a variant that was asked, in
            [0, 1]; None: not watched.
        max_p95_ms: largest 95 % quantile of the wait for votes, milliseconds; None: not watched.
        block_rate: lowest and highest share of blocked payments; None: not watched.
        min_decisions: fewer decisions than this prove nothing.
        window_minutes: how far back decisions count.
    """

    max_error_rate: float | None = None
    max_p95_ms: float | None = None
    block_rate: tuple[float, float] | None = None
    min_decisions: int = 100
    window_minutes: float = 10.0

    def breach(self, health: Health) -> Breach | None:
        """Return the band that an arm has left, the first of several; None if it is in all of them,
        or has too few decisions to tell."""
        if not self.suffices(health):
            return None
        of = f"of {health.decisions} decisions"
        errors, p95, blocks = health.error_rate, health.p95_ms, health.block_rate
        if self.max_error_rate is not None and errors > self.max_error_rate:
            limit = _percent(self.max_error_rate)
            what = f"{_percent(errors)} {of} lack a vote, and at most {limit} may"
            return Breach(ERROR_RATE, what)
        if self.max_p95_ms is not None and p95 is not None and p95 > self.max_p95_ms:
            what = f"95 % {of} got their votes within {p95:.0f} ms, not within {self.max_p95_ms:g}"
            return Breach(P95, what)
        if self.block_rate is not None and not self.block_rate[0] <= blocks <= self.block_rate[1]:
            low, high = map(_percent, self.block_rate)
            what = f"{_percent(blocks)} {of} are blocked, and {low} to {high} should be"
            return Breach(BLOCK_RATE, what)
        return None

    def suffices(self, health: Health) -> bool:
        """Return whether an arm has enough decisions to be judged."""
        return health.decisions >= max(1, self.min_decisions)

    def to_document(self) -> dict[str, Any]:
        """Return a JSON-ready dict; `guard_at` inverts it."""
        return {
            "max_error_rate": self.max_error_rate,
            "max_p95_ms": self.max_p95_ms,
            "block_rate": None if self.block_rate is None else list(self.block_rate),
            "min_decisions": self.min_decisions,
            "window_minutes": self.window_minutes,
        }


def guard_at(place: Place) -> Guard | None:
    """Read a guard; None if it has faults, which are noted."""
    known = ("max_error_rate", "max_p95_ms", "block_rate", "min_decisions", "window_minutes")
    if not place.only(known):
        return None
    error = place.number("max_error_rate", 0, 1) if place.has("max_error_rate") else None
    p95 = place.number("max_p95_ms", 0, 60_000, above=True) if place.has("max_p95_ms") else None
    return place.build(
        Guard,
        max_error_rate=error,
        max_p95_ms=p95,
        block_rate=_band(place.at("block_rate")) if place.has("block_rate") else None,
        min_decisions=place.whole("min_decisions", 1, 10_000_000, 100),
        window_minutes=place.number("window_minutes", 1, 1440, 10.0),
    )


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"


def _band(place: Place) -> tuple[float, float] | None:
    band = place.value
    if (
        isinstance(band, list | tuple)
        and len(band) == 2
        and all(map(is_number, band))
        and 0 <= band[0] <= band[1] <= 1
    ):
        return float(band[0]), float(band[1])
    place.note(RANGE, "expected [lowest, highest], shares from 0 to 1")
    return None
