"""Server processes live on, or end, with the process that started them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cluster.embedded import EmbeddedRedis, daemon


def test_a_server_outlives_the_process_that_started_it(folder: Path) -> None:
    program = (
        "from pathlib import Path; from cluster.embedded import EmbeddedRedis;"
        f"EmbeddedRedis(Path({str(folder / 'redis')!r})).start()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert EmbeddedRedis(folder / "redis").running


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's doing, on Linux")
def test_throwaway_servers_die_with_a_killed_process(folder: Path) -> None:
    program = (
        "from pathlib import Path; import time; from cluster.embedded import *;"
        f"f = Path({str(folder)!r});"
        "EmbeddedRedis(f / 'redis', throwaway=True).start();"
        "EmbeddedPostgres(f / 'pg', throwaway=True).start(); print('up', flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        left = [
            *daemon.find("redis-server", folder / "redis"),
            *daemon.find("postgres", folder / "pg" / "data"),
        ]
        assert len(left) > 2
        owner.kill()
    deadline = time.monotonic() + 60
    while any(_lives(process) for process in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_lives(process) for process in left)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
