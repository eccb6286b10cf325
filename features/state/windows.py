"""The windows that state is kept for, and the tiles that they are cut into.

A window of span S cut into tiles of width w covers, at time t, the tiles
`floor(t/w) - S/w + 1 .. floor(t/w)`: between S - w and S of history. Only its old edge is
approximate: an event may leave the window up to w too early, and never too late. The largest error
is one tile: 5 minutes of 1 h, 1 h of 24 h, 6 h of 7 d, 1 d of 30 d and of 60 d.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time up to a payment. `tile_ms` divides `span_ms`; windows of one tile width share
    a ring."""

    name: str
    span_ms: int
    tile_ms: int

    @property
    def tiles(self) -> int:
        """How many tiles the window covers."""
        return self.span_ms // self.tile_ms


H1 = Window("1h", HOUR_MS, 5 * MINUTE_MS)
H24 = Window("24h", DAY_MS, HOUR_MS)
D7 = Window("7d", 7 * DAY_MS, 6 * HOUR_MS)
D30 = Window("30d", 30 * DAY_MS, DAY_MS)
D60 = Window("60d", 60 * DAY_MS, DAY_MS)

HORIZON_MS = 60 * DAY_MS
"""How far back from an entity's newest event anything is visible."""

LABEL_WINDOWS = (H24, D7, D30)
"""Windows of labels, by the time when they became known."""

FLOW_WINDOWS = (H24, D7)
"""Windows of an account's flows."""

LARGEST_WINDOWS = tuple(Window(w.name, w.span_ms, DAY_MS) for w in (D7, D30, D60))
"""Windows of largest amounts: daily tiles."""

NEAR_WINDOWS = tuple(Window(w.name, w.span_ms, DAY_MS) for w in (D7, D30))
"""Windows of payments just under the threshold: daily tiles."""

HABIT_WINDOWS = (Window("60d", D60.span_ms, 10 * DAY_MS),)
"""Windows of categories and positions: tiles of ten days."""

RUN_GAP_DAYS = 10
"""Frauds that became known at most this many days apart form one run."""
