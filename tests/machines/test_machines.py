"""The machines themselves: as separate as computers, and nothing is left of them."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
import redis

from tests.contracts.hub_stores import hub_stores
from tests.contracts.machines import HUB, Hub, Machine, clock_off_by, hub
from tests.contracts.root import ROOT

_HERE = Path("/proc/thread-self/ns/net")


@pytest.fixture(scope="module")
def network() -> Iterator[Hub]:
    with hub() as made:
        yield made


@pytest.fixture(scope="module")
def pair(network: Hub) -> tuple[Machine, Machine]:
    return network.machine("a"), network.machine("b")


def serve_files(machine: Machine, port: int) -> None:
    """Serve the machine's home over HTTP, at all its addresses."""
    machine.spawn([sys.executable, "-m", "http.server", str(port)])
    until(lambda: reaches(machine.address, port))


def reaches(address: str, port: int, timeout_s: float = 5.0) -> bool:
    try:
        socket.create_connection((address, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def until(condition, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def test_machines_reach_each_other_and_nothing_else(pair: tuple[Machine, Machine]) -> None:
    a, b = pair
    (b.home / "who").write_text("b")
    serve_files(b, 9000)
    for network in (a.network, b.network):
        with network():
            assert httpx.get(f"http://{b.address}:9000/who", trust_env=False).text == "b"
    with b.network():
        assert httpx.get("http://127.0.0.1:9000/who", trust_env=False).text == "b"
    with a.network():
        assert not reaches("127.0.0.1", 9000)
        with pytest.raises(OSError, match="unreachable"):
            socket.create_connection(("192.0.2.1", 80), timeout=5)


def test_a_machine_has_its_own_processes_mounts_and_name(pair: tuple[Machine, Machine]) -> None:
    a, b = pair
    assert a.run(["hostname"]).stdout == "a\n"
    assert a.run(["pwd"]).stdout == f"{a.home}\n"
    assert a.run(["sh", "-c", "echo $QUORUM_HOME $X"], environment={"X": "y"}).stdout == (
        f"{a.home} y\n"
    )
    a.run(["sh", "-c", "echo a >/tmp/file; echo a >/dev/shm/file"])
    assert "file" in a.run(["ls", "/tmp", "/dev/shm"]).stdout
    assert "file" not in b.run(["ls", "/tmp", "/dev/shm"]).stdout
    assert not Path("/tmp/file").exists()
    a.spawn(["sleep", "1000"])
    until(lambda: a.processes("sleep"))
    assert not b.processes("sleep")
    assert "sleep" in a.run(["ps", "ax"]).stdout
    assert "sleep" not in b.run(["ps", "ax"]).stdout


def test_a_command_tells_its_failure_and_takes_signals(pair: tuple[Machine, Machine]) -> None:
    a, _ = pair
    assert a.run(["sh", "-c", "echo wrong >&2; exit 3"], check=False).stderr == "wrong\n"
    with pytest.raises(AssertionError, match=r"a: sh -c exit 3: 3"):
        a.run(["sh", "-c", "exit 3"])
    with pytest.raises(subprocess.TimeoutExpired):
        a.run(["sleep", "777"], timeout_s=0.5)
    until(lambda: not any("777" in p.cmdline() for p in a.processes("sleep")))
    script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    with (a.home / "said").open("w") as said:
        process = a.spawn(["sh", "-c", script], output=said)
    until(lambda: (a.home / "said").read_text() == "ready\n")
    process.send(signal.SIGTERM)
    assert process.wait(10) == 7


def test_orphans_are_collected(pair: tuple[Machine, Machine]) -> None:
    a, _ = pair
    a.run(["sh", "-c", "(sleep 0.2 &) ; (sleep 0.2 &)"])
    until(lambda: len(a.init.children()) == 0)


def test_a_cut_is_silent_and_mends(network: Hub) -> None:
    machine = network.machine("c")
    serve_files(machine, 9000)
    with socket.create_connection((machine.address, 9000)) as connection:
        machine.cut()
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        # Nothing comes: no answer, no reset. Later than 3 s, an address that is not found would
        # be an error.
        assert select.select([connection], [], [], 5.0)[0] == []
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            socket.create_connection((machine.address, 9000), timeout=4.0)
        assert time.monotonic() - began_s > 3.5
        with machine.network():
            assert reaches("127.0.0.1", 9000)
            assert not reaches(HUB, 9000, timeout_s=1.0)
        machine.mend()
        assert select.select([connection], [], [], 20.0)[0]
        assert connection.recv(100).startswith(b"HTTP/1.0 200")
    assert reaches(machine.address, 9000)


@pytest.mark.parametrize("silent", [False, True])
def test_a_killed_machine_ends_whole_and_boots_again(network: Hub, silent: bool) -> None:
    machine = network.machine(f"d{int(silent)}")
    machine.run(["sh", "-c", "echo kept >home; echo lost >/tmp/file"])
    # In sessions of their own, so that no signal to a group reaches them.
    for _ in range(3):
        machine.run(["setsid", "--fork", "sleep", "1000"])
    serve_files(machine, 9000)
    processes = machine.processes()
    assert len([p for p in processes if p.name() == "sleep"]) == 3
    with socket.create_connection((machine.address, 9000)) as connection:
        if silent:
            machine.lose_power()
        else:
            machine.kill_all()
        assert not any(p.is_running() and p.status() != "zombie" for p in processes)
        assert not machine.on
        heard = select.select([connection], [], [], 1.0)[0]
        assert bool(heard) != silent
    machine.boot()
    assert machine.run(["cat", "home"]).stdout == "kept\n"
    assert machine.run(["ls", "/tmp/file"], check=False).returncode != 0
    assert not reaches(machine.address, 9000)
    serve_files(machine, 9000)


def test_a_machine_takes_the_address_of_one_that_is_off(network: Hub) -> None:
    old = network.machine("old", address="10.77.0.40")
    old.lose_power()
    new = network.machine("new", address="10.77.0.40")
    serve_files(new, 9000)
    assert network.machine("other").run(["getent", "hosts", "new"]).stdout.split()[0] == new.address


def test_a_small_disk_is_full_soon(network: Hub) -> None:
    machine = network.machine("small", disk_mb=2)
    done = machine.run(["sh", "-c", "head -c 4000000 /dev/zero >file"], check=False)
    assert "No space left" in done.stderr


def test_a_wrong_clock(pair: tuple[Machine, Machine]) -> None:
    a, _ = pair
    command = [sys.executable, "-c", "import time; print(time.time(), time.monotonic())"]
    wrong = clock_off_by(-600)
    time_s, monotonic_s = map(float, a.run(command, environment=wrong).stdout.split())
    assert abs(time.time() - 600 - time_s) < 30
    assert abs(time.monotonic() - monotonic_s) < 30


def test_the_stores_are_reached_with_their_passwords_only(network: Hub, pair) -> None:
    a, _ = pair
    postgres, cache = hub_stores(network.folder)

    async def version(url: str) -> str:
        connection = await asyncpg.connect(url)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()

    try:
        with a.network():
            assert asyncio.run(version(postgres.url)).startswith("18")
            with pytest.raises(asyncpg.InvalidPasswordError):
                asyncio.run(version(postgres.url.replace("quorum:", "quorum:x")))
            assert redis.Redis.from_url(cache.url).ping()
            with pytest.raises(redis.AuthenticationError):
                redis.Redis.from_url(cache.url.replace("redis://:", "redis://:x")).ping()
    finally:
        postgres.stop()
        cache.stop()


def test_nothing_is_left_at_the_end() -> None:
    before = os.readlink(_HERE)
    with hub() as inner:
        assert os.readlink(_HERE) != before
        machine = inner.machine("e")
        machine.spawn(["sleep", "1000"])
        until(lambda: machine.processes("sleep"))
        processes, folder = [machine.init, *machine.processes()], inner.folder
        (inner.shared / "file").touch()
    assert os.readlink(_HERE) == before
    assert not any(p.is_running() for p in processes)
    assert not folder.exists()


_FOREVER = """
import time
from tests.contracts.machines import hub
with hub() as made:
    machine = made.machine("f")
    machine.spawn(["setsid", "--fork", "sleep", "1000"])
    while not machine.processes("sleep"):
        time.sleep(0.01)
    print(made.folder, machine.processes("sleep")[0].pid, flush=True)
    time.sleep(1000)
"""


def test_a_killed_run_leaves_a_folder_that_the_next_removes() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _FOREVER], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        folder, pid = run.stdout.readline().split()
        run.kill()
    until(lambda: not psutil.pid_exists(int(pid)))
    with hub():
        assert not Path(folder).exists()
