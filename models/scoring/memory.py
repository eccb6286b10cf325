"""Release of memory that this process no longer uses."""

from __future__ import annotations

import ctypes
import gc


def release_memory() -> None:
    """Return free pages to the system: reading a model leaves up to nine times its size behind.

    Trimming releases the interpreter lock. Without glibc there is nothing to trim with.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
