"""The keeper with a real HAProxy and no Serve."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.edge import haproxy
from cluster.edge.files import EdgeFiles
from cluster.edge.keeper import Keeper
from tests.integration.cluster.edge.test_haproxy import place, program, until

__all__ = ["place", "program"]


@pytest.fixture
def kept(program: Path, place: EdgeFiles) -> Iterator[tuple[socket.socket, int]]:
    """A connection to a keeper that runs HAProxy, and HAProxy's process id."""
    thread = threading.Thread(target=Keeper(program, place, orphaned_s=0.3).run)
    client = socket.socket(socket.AF_UNIX)

    def connects() -> bool:
        try:
            client.connect(str(place.keeper))
        except OSError:
            return False
        return True

    thread.start()
    until(connects)
    client.sendall(b"serve\n")
    yield client, json.loads(client.makefile("rb").readline())["pid"]
    client.close()
    thread.join(30)
    assert not thread.is_alive()


def test_a_dead_haproxy_is_restarted(kept: tuple[socket.socket, int], place: EdgeFiles) -> None:
    _, pid = kept
    assert haproxy.running_pid(place.commands) == pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: haproxy.running_pid(place.commands) not in (None, pid))
    assert f"HAProxy {pid} died" in place.log.read_text()


def test_without_stand_ins_it_ends_haproxy(
    kept: tuple[socket.socket, int], place: EdgeFiles
) -> None:
    client, pid = kept
    client.close()
    until(lambda: haproxy.running_pid(place.commands) is None)
    until(lambda: haproxy.has_ended(pid))
    assert not place.keeper.exists()


def test_a_failed_start_is_answered(kept: tuple[socket.socket, int], place: EdgeFiles) -> None:
    client, pid = kept
    place.config.write_text("frontend x\n    no-such-keyword\n")
    client.sendall(b"serve\n")
    assert "no-such-keyword" in json.loads(client.makefile("rb").readline())["error"]
    assert haproxy.running_pid(place.commands) == pid


def test_failing_restarts_are_further_and_further_apart(
    kept: tuple[socket.socket, int], place: EdgeFiles
) -> None:
    _, pid = kept
    config = place.config.read_text()
    time.sleep(1.1)  # so that the first restart is at once
    place.config.write_text("frontend x\n    no-such-keyword\n")
    os.kill(pid, signal.SIGKILL)
    until(lambda: "does not start" in place.log.read_text())
    time.sleep(1)
    assert place.log.read_text().count("does not start") < 10
    place.config.write_text(config)
    until(lambda: haproxy.running_pid(place.commands) is not None)
