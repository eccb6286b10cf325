"""The capacity model; see docs/scaling.md.

python -m loadtests.capacity plan --per-day 100M
"""

from __future__ import annotations

import sys

from loadtests.capacity.commands import main

if __name__ == "__main__":
    sys.exit(main())
