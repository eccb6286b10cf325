"""Ray Serve without pandas. Imported for its effect, before `ray.serve` is.

`ray.serve._private.utils` imports pandas if it is installed, for an encoder of data frames that
Quorum does not use: 40 MB in every process of Serve. It is installed, as training needs it. This
module hides pandas from that one import; later imports find it.

Every worker imports it first (`deployments/preload.py`). If a later Serve imports pandas elsewhere,
nothing breaks, but the memory is used again;
`tests/unit/deployments/serve_changes/test_without_pandas.py` fails.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.serve_changes.around_import import around_import

IMPORTER = "ray.serve._private.utils"
WITHHELD = "pandas"


@contextmanager
def _withholding() -> Iterator[None]:
    if WITHHELD in sys.modules:
        yield
        return
    # None makes Python's import fail.
    sys.modules[WITHHELD] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[WITHHELD]


around_import(IMPORTER, _withholding)
