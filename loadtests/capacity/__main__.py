"""The capacity model: `python -m loadtests.capacity plan|measure|simulate|check`; docs/scaling.md."""

from __future__ import annotations

import sys

from loadtests.capacity.commands import main

if __name__ == "__main__":
    sys.exit(main())
