from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest

from fraud.payment.batch import Int64
from training.monitor.timeline import Timeline


@dataclass(frozen=True)
class Part:
    at_ms: Int64

    def slice(self, start: int, stop: int) -> Part:
        return Part(self.at_ms[start:stop])


@pytest.mark.parametrize("size", [1, 2, 3, 10])
async def test_everything_is_taken_once_when_its_moment_has_come(size: int) -> None:
    moments = [1, 1, 2, 5, 5, 5, 9]
    read = 0

    async def parts() -> AsyncIterator[Part]:
        nonlocal read
        for start in range(0, len(moments), size):
            read += 1
            yield Part(np.array(moments[start : start + size]))

    coming = Timeline(parts())
    taken = []
    for until in (0, 1, 4, 5, 5, 100, 200):
        found = await coming.take_until(until)
        assert all(len(part.at_ms) for part in found)
        taken.append([int(at) for part in found for at in part.at_ms])
        if until == 0:
            assert read == 1  # no further than needed
    assert taken == [[], [1, 1], [2], [5, 5, 5], [], [9], []]
