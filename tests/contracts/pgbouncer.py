"""A real PgBouncer in transaction mode in front of a PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from cluster.embedded import daemon
from cluster.embedded.account import Account
from tests.contracts.ports import free_ports
from tests.contracts.run_folder import run_folder

_CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


def program() -> str:
    """Return the path of PgBouncer; skip the test if there is none."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found is None:
        pytest.skip("PgBouncer is not installed: apt-get install pgbouncer")
    return found


@asynccontextmanager
async def bouncing(url: str) -> AsyncIterator[str]:
    """Run a pooler that gives each transaction another of its four sessions.

    Yields the URL of the database behind it.
    """
    binary = program()
    parts = urlsplit(url)
    (port,) = free_ports(1)
    # Not a folder of pytest: as PgBouncer does not run as root, another user must enter it.
    with run_folder("bouncer") as folder:
        (folder / "users.txt").write_text(f'"{parts.username}" "{parts.password}"\n')
        file = folder / "pgbouncer.ini"
        file.write_text(_CONFIGURATION.format(server=parts.port, port=port, folder=folder))
        account = None
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            account = Account(nobody.pw_uid, nobody.pw_gid)
            for path in (folder, file, folder / "users.txt"):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        process = daemon.spawn(
            [binary, file],
            cwd=folder,
            log=folder / "output.log",
            account=account,
            dies_with_us=signal.SIGTERM,
        )
        try:
            there = url.replace(f":{parts.port}/", f":{port}/")
            await _open_sessions(there)
            yield there
        finally:
            process.terminate()
            process.wait(60)


async def _open_sessions(url: str) -> None:
    """Wait until the pooler answers, and make it open all its sessions."""
    async with asyncio.timeout(60):
        while True:
            try:
                clients = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(4)]
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
    transactions = [client.transaction() for client in clients]
    for transaction in transactions:
        await transaction.start()
    for transaction in transactions:
        await transaction.rollback()
    for client in clients:
        await client.close()
