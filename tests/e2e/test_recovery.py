"""Crashes: what is killed comes back with `quorum up`, and nothing that a client saw is lost."""

from __future__ import annotations

import os
import signal
import socket

import psutil

from tests.e2e.conftest import Quorum
from tests.e2e.test_main_job import payment


def everything_of(quorum: Quorum) -> list[psutil.Process]:
    """Every process that this Quorum started: Ray's, HAProxy, PostgreSQL, Redis."""
    mark, found = str(quorum.home), []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), process.environ().get("QUORUM_HOME", "")]
        except (psutil.Error, OSError):
            continue
        if process.pid != os.getpid() and any(mark in part for part in told):
            found.append(process)
    return found


def test_up_after_everything_was_killed(quorum: Quorum) -> None:
    with quorum.client() as client:
        answers = [client.post("/v1/decisions", json=payment()).json() for _ in range(20)]
    for process in everything_of(quorum):
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    quorum.up()
    with quorum.client() as client:
        for answer in answers:
            kept = client.get(f"/v1/decisions/{answer['decision_id']}")
            assert kept.status_code == 200
            assert kept.json()["decision"] == answer["decision"]
        assert client.post("/v1/decisions", json=payment()).status_code == 200


def test_a_taken_port_is_told_in_one_line(quorum: Quorum) -> None:
    quorum.run("down")
    port = int(quorum.environment["QUORUM_HTTP_PORT"])
    with socket.socket() as mine:
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        mine.bind(("127.0.0.1", port))
        mine.listen()
        done = quorum.run("up", ok=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert any(line.startswith("error:") and str(port) in line for line in done.stderr.splitlines())


def test_down_frees_every_port_and_leaves_no_process(quorum: Quorum) -> None:
    quorum.run("down")
    for name, value in quorum.environment.items():
        if name.startswith("QUORUM_") and name.endswith("_PORT"):
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", int(value))) != 0, name
    assert everything_of(quorum) == []
    assert quorum.run("down").returncode == 0  # again: nothing to do
    quorum.up()
