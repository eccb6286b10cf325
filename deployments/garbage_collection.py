"""Python's garbage collection in a replica."""

from __future__ import annotations

import gc

GC_THRESHOLDS = (20_000, 20, 50)
"""Containers allocated beyond those freed before the young generation is collected; young
collections before a middle one; middle ones before a full one. A micro-batch of hundreds of rows is
a few thousand containers that live for milliseconds: with Python's own 700 they are scanned again
and again while they are still in use."""


def tune_garbage_collection() -> None:
    """Take all objects that are alive now out of garbage collection, and collect less often.

    Call it when a replica is built. Models, code and connections stay for its lifetime: scanning
    them is a pause in the middle of a decision and never frees anything.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
