"""Warnings about what may happen many times a second."""

from __future__ import annotations

import logging

from deployments.links.network.sparse_warning import EVERY_S, SparseWarning


def test_a_minute_has_one_line_and_the_next_counts_the_others(caplog):
    now = [0.0]
    warn = SparseWarning(logging.getLogger("test"), "refused", clock=lambda: now[0])
    for i in range(1000):
        warn(f"reason {i}")
    now[0] = EVERY_S
    warn("again")
    now[0] = 2 * EVERY_S
    warn("later")
    assert [record.message for record in caplog.records] == [
        "refused: reason 0",
        "refused: again (999 more since the last line)",
        "refused: later",
    ]
