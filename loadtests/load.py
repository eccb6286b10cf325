"""`make load`: Locust without its web page, with temporary API keys, and a report.

    python -m loadtests.load --users 50 --seconds 60

Fails if a single request fails.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadtests.target import NoTarget, Target, find_target

_ROOT = Path(__file__).resolve().parent.parent
# A killed run leaves its keys behind, so they expire soon.
_CREATE = ("keys", "create", "--expires-days", "1", "--json")
_COMMAND_S = 60
_STOP_S = 120


def main(arguments: list[str] | None = None) -> int:
    """Run the load. Returns Locust's exit code, not 0 if a request failed or none was made."""
    options = _options(arguments)
    try:
        target = find_target()
        with _keys(options.keys) as keys:
            return _locust(options, target, keys)
    except (NoTarget, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
    except subprocess.SubprocessError as error:
        # The failed program has reported the reason on stderr.
        print(f"error: {_program(error)} failed", file=sys.stderr)
    return 2


@contextmanager
def _keys(number: int) -> Iterator[list[str]]:
    """Yield API keys that are revoked at the end."""
    made: list[dict[str, Any]] = []
    try:
        while len(made) < number:
            name = f"load {len(made) + 1}"
            # One at a time: if one fails, those made before are revoked.
            made.append(json.loads(_quorum(*_CREATE, "--name", name)))
        yield [key["key"] for key in made]
    finally:
        for key in made:
            # A failure must not keep the others from being revoked.
            with contextlib.suppress(subprocess.SubprocessError):
                _quorum("keys", "revoke", key["key_id"])


def _quorum(*arguments: str) -> str:
    program = Path(sys.executable).with_name("quorum")
    done = subprocess.run(
        [str(program), *arguments],
        check=True,
        timeout=_COMMAND_S,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def _locust(options: argparse.Namespace, target: Target, keys: list[str]) -> int:
    report = Path(options.report).resolve()
    report.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", str(_ROOT / "loadtests/locustfile.py")),
        *("--headless", "--only-summary", "--host", target.url, "--html", str(report)),
        *("--users", str(options.users), "--spawn-rate", str(options.spawn_rate)),
        *("--run-time", f"{options.seconds}s", "--stop-timeout", "10"),
    ]
    environment = {
        **os.environ,
        # Not an argument: every user can read the arguments of a process.
        "QUORUM_API_KEYS": ",".join(keys),
        "QUORUM_URL": target.url,
        "QUORUM_API_KEY": target.api_key,
        "QUORUM_HOME": str(target.home),
        "QUORUM_LOAD_RATE_PER_USER": str(options.rate_per_user),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
    }
    done = subprocess.run(
        command, cwd=_ROOT, env=environment, timeout=options.seconds + _STOP_S, check=False
    )
    print(f"report: {report}", file=sys.stderr)
    return done.returncode


def _program(error: subprocess.SubprocessError) -> str:
    command = getattr(error, "cmd", None) or ["a program"]
    # Without its environment and output, which contain keys.
    return " ".join(Path(part).name if "/" in part else part for part in command[:3])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.load", description="Play payments against a running Quorum."
    )
    parser.add_argument("--users", type=int, default=50, help="concurrent callers")
    parser.add_argument("--spawn-rate", type=float, default=10.0, help="new callers a second")
    parser.add_argument(
        "--rate-per-user", type=float, default=4.0, help="requests a second of each caller"
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keys", type=int, default=4, help="API keys that the callers share")
    parser.add_argument("--report", default="reports/load.html")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
