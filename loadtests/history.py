"""The file of payments that a load test sends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from loadtests.payments import Payment, read_payments

DEFAULT_ROWS = 100_000
_GENERATE_S = 300


def history_file(home: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Return `QUORUM_LOAD_FILE`, else the set that `quorum up` made under `home`, else a new one.

    Raises:
        FileNotFoundError: QUORUM_LOAD_FILE names a file that does not exist.
        subprocess.CalledProcessError: none can be made; the reason is on stderr.
    """
    named = environment.get("QUORUM_LOAD_FILE")
    if named:
        path = Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"QUORUM_LOAD_FILE={named}: no such file")
        return path
    made = home / "data" / "history.parquet"
    return made if made.is_file() else _generated(home / "load" / "payments.parquet")


def payments_to_play(home: Path, environment: Mapping[str, str] = os.environ) -> list[Payment]:
    """Return the last `QUORUM_LOAD_ROWS` payments (default 100,000) of `history_file`.

    Raises:
        ValueError: it lacks canonical columns, or has no rows.
        OSError, subprocess.CalledProcessError: see `history_file`.
    """
    rows = int(environment.get("QUORUM_LOAD_ROWS", DEFAULT_ROWS))
    return read_payments(history_file(home, environment), rows)


def _generated(path: Path) -> Path:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name("quorum")), "generate", "--out", str(path)]
        subprocess.run(command, check=True, timeout=_GENERATE_S, stdout=subprocess.DEVNULL)
    return path
