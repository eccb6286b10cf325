"""Machines that must not join: one clear line, exit code not 0, nothing half joined."""

from __future__ import annotations

import asyncio
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cluster.embedded import EmbeddedRedis
from cluster.schema.migrate import migrate
from tests.contracts.hub_stores import HubRedis
from tests.contracts.machines import Machine, clock_off_by
from tests.contracts.several_machines import QUORUM, SeveralMachines, eventually, quorum


@pytest.fixture(scope="module")
def stranger(cluster: SeveralMachines) -> Iterator[Machine]:
    """A machine that belongs to no Quorum."""
    cluster.grow(1)
    machine = cluster.hub.machine("stranger")
    yield machine
    machine.kill_all()


def assert_refused(machine: Machine, done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check a refusal: its words in one line, and nothing that runs."""
    errors = [line for line in done.stderr.splitlines() if line.startswith("error")]
    assert done.returncode not in (0, None), done
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in errors[0], errors
    print(f"exit {done.returncode}: {errors[0]}")
    eventually(lambda: machine.processes() == [], 10, lambda: str(machine.processes()))


def join(cluster: SeveralMachines, machine: Machine, **environment: str):
    return quorum(machine, "join", cluster.head.address, ok=False, **environment)


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("DATABASE_URL", ("DATABASE_URL is not set",)),
        ("REDIS_URL", ("REDIS_URL is not set",)),
        ("QUORUM_ARTIFACTS", ("QUORUM_ARTIFACTS is not set",)),
        ("QUORUM_KEY_PEPPER", ("QUORUM_KEY_PEPPER is not set",)),
    ],
)
def test_without_a_store(
    cluster: SeveralMachines, stranger: Machine, variable: str, words: tuple[str, ...]
) -> None:
    assert_refused(stranger, join(cluster, stranger, **{variable: ""}), *words)


def test_another_pepper(cluster: SeveralMachines, stranger: Machine) -> None:
    secret = secrets.token_hex(16)
    done = join(cluster, stranger, QUORUM_KEY_PEPPER=secret)
    assert_refused(stranger, done, "QUORUM_KEY_PEPPER")
    assert secret not in done.stderr


def test_another_token(cluster: SeveralMachines, stranger: Machine) -> None:
    done = join(cluster, stranger, RAY_AUTH_TOKEN=secrets.token_hex(32))
    assert_refused(stranger, done, "token")


def test_another_database(cluster: SeveralMachines, stranger: Machine) -> None:
    url = cluster.postgres.url
    cluster.fetch("CREATE DATABASE another")
    another = f"{url.rpartition('/')[0]}/another"
    try:
        asyncio.run(migrate(another))
        assert_refused(stranger, join(cluster, stranger, DATABASE_URL=another), "DATABASE_URL")
    finally:
        cluster.fetch("DROP DATABASE another WITH (FORCE)")


def test_another_redis(cluster: SeveralMachines, stranger: Machine) -> None:
    another: EmbeddedRedis = HubRedis(cluster.hub.folder / "another-redis", throwaway=True)
    another.start()
    try:
        assert_refused(stranger, join(cluster, stranger, REDIS_URL=another.url), "REDIS_URL")
    finally:
        another.stop()


def test_another_artifact_store(cluster: SeveralMachines, stranger: Machine) -> None:
    folder = cluster.hub.folder / "other-artifacts"
    folder.mkdir()
    assert_refused(stranger, join(cluster, stranger, QUORUM_ARTIFACTS=str(folder)), "artifact")


def test_an_artifact_store_that_is_away(cluster: SeveralMachines, stranger: Machine) -> None:
    away = join(cluster, stranger, QUORUM_ARTIFACTS=str(cluster.hub.folder / "not-mounted"))
    assert_refused(stranger, away, "artifact")
    bucket = {
        "QUORUM_ARTIFACTS": "s3://bucket/models",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://10.77.0.1:1",
        "QUORUM_S3_ENDPOINT": "http://10.77.0.1:1",
    }
    assert_refused(stranger, join(cluster, stranger, **bucket), "s3://bucket/models")


@pytest.mark.parametrize("fact", ["quorum", "ray", "python", "features"])
def test_another_version(cluster: SeveralMachines, stranger: Machine, fact: str) -> None:
    """The head says what it is: as if it were another version."""
    (before,) = cluster.fetch("SELECT facts::text FROM cluster")
    cluster.fetch("UPDATE cluster SET facts = facts || jsonb_build_object($1::text, '0.0.1')", fact)
    try:
        assert_refused(stranger, join(cluster, stranger), "0.0.1")
    finally:
        cluster.fetch("UPDATE cluster SET facts = $1::text::jsonb", before[0])


@pytest.mark.parametrize("seconds", [600, -600])
def test_a_clock_ten_minutes_off(cluster: SeveralMachines, stranger: Machine, seconds: int) -> None:
    wrong = clock_off_by(seconds)
    assert_refused(stranger, join(cluster, stranger, **wrong), "clock", "600")


def test_no_head_there(cluster: SeveralMachines, stranger: Machine) -> None:
    for address in ("10.77.0.1", "10.77.0.59", "10.77.0.11:1"):
        done = stranger.run([QUORUM, "join", address], check=False, timeout_s=60)
        assert_refused(stranger, done, address.partition(":")[0])


@pytest.mark.parametrize("port", [8000, 8001])
def test_a_port_that_is_taken(cluster: SeveralMachines, stranger: Machine, port: int) -> None:
    holder = stranger.spawn([sys.executable, "-m", "http.server", str(port)])
    try:
        eventually(lambda: _listens(stranger, port))
        done = join(cluster, stranger)
    finally:
        holder.kill()
    assert_refused(stranger, done, str(port))


def _listens(machine: Machine, port: int) -> bool:
    try:
        socket.create_connection((machine.address, port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_full_disk(cluster: SeveralMachines) -> None:
    machine = cluster.hub.machine("full", disk_mb=20)
    try:
        assert_refused(machine, join(cluster, machine), "disk")
    finally:
        machine.kill_all()


def test_little_shared_memory(cluster: SeveralMachines) -> None:
    machine = cluster.hub.machine("tight", shared_memory_mb=64)
    try:
        assert_refused(machine, join(cluster, machine), "shared memory")
    finally:
        machine.kill_all()


def test_a_second_head(cluster: SeveralMachines, stranger: Machine) -> None:
    done = quorum(stranger, "up", "--host", stranger.address, ok=False)
    assert_refused(stranger, done, cluster.head.address)


def test_the_cluster_is_as_before(cluster: SeveralMachines, key: str) -> None:
    cluster.settle()
    for machine in cluster.nodes:
        assert cluster.decide(machine, key)["degraded_reasons"] == []
