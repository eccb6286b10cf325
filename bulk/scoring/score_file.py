"""The scores of one part, in a file that is whole or absent."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stores.whole_file import replace_file

Arrays = dict[str, NDArray[Any]]

ANOMALY = "anomaly"
"""float32[n] in (0, 1]: the file's own isolation forest."""

ANOMALY_REFERENCE = "anomaly:reference"
"""float32[n] in (0, 1]: that of the best reference; absent if it has none."""

MODEL = "model:"
"""Before the name of a reference: float32[n], calibrated probabilities; NaN where it gives none."""

COUNTS = "counts:"
"""Before the name of a reference: int64[k, bins], see `bulk.scoring.summary.drift`."""


def write_scores(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays, without pickles."""
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    replace_file(path, body.getvalue())


def read_scores(path: Path, rows: int | None = None) -> Arrays | None:
    """Return what `write_scores` wrote; None if the file is absent or damaged.

    Args:
        rows: of the part, if known: a file of another number of rows counts as damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None
    per_row = [len(a) for name, a in arrays.items() if not name.startswith(COUNTS)]
    if rows is not None and any(n != rows for n in per_row):
        return None
    return arrays
