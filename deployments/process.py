"""What every replica does with its own process once it is built."""

from __future__ import annotations

import gc

GC_THRESHOLDS = (20_000, 20, 50)
"""Containers allocated beyond those freed, before young ones are looked through; young rounds
before a middle one; middle rounds before a full one. A micro-batch of hundreds of rows is a few
thousand containers that live for milliseconds: with Python's own 700 they are looked through
again and again while they are still in use."""


def settle() -> None:
    """Take what is alive now out of garbage collection, and collect less often.

    Call it when a replica is built. Models, code and connections stay for its lifetime; to walk
    over them is a pause in the middle of a decision and never finds anything.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
