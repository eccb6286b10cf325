from __future__ import annotations

import shutil
from contextlib import ExitStack

import numpy as np
import pytest

from features.definitions import NAMES, SCHEMA_ID
from loadtests.bench.offline.links import (
    ROWS,
    TCP,
    TLS,
    UNIX,
    _make_certificate,
    links,
    measured,
)
from tests.contracts.run_folder import run_folder


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
async def test_links_of_every_kind_score_the_same_and_are_measured() -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder("bench"))
        _make_certificate(folder)
        async with links(folder) as calls:
            assert set(calls) == {UNIX, TCP, TLS}
            values = np.arange(3 * len(NAMES), dtype=np.float32).reshape(3, -1)
            for call in calls.values():
                scores = await call(values, SCHEMA_ID)
                assert scores.scores.tolist() == values[:, 0].tolist()
            found = await measured(calls, rounds=1, repeats=3)
    for kind in calls:
        assert all(found[kind][str(n)] > 0 and found[kind]["cpu"][str(n)] >= 0 for n in ROWS)
