"""The real HAProxy, started, queried and replaced without Serve."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.edge import haproxy
from cluster.edge.files import EdgeFiles
from cluster.edge.install import install
from tests.contracts.edge import edge_options
from tests.contracts.ports import free_ports

CONFIG = """
global
    stats socket {place.commands} mode 600 level admin expose-fd listeners
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend http_frontend
    bind 127.0.0.1:{port}
    http-request return status 200
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The HAProxy of an installed edge."""
    install(tmp_path / "tools", edge_options(spare=False))
    return tmp_path / "tools" / "haproxy"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[EdgeFiles]:
    """A folder with a configuration; the processes there are ended after the test."""
    found = EdgeFiles(tmp_path)
    (port,) = free_ports(1)
    found.config.write_text(CONFIG.format(place=found, port=port))
    yield found
    pid = haproxy.running_pid(found.commands)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        until(lambda: haproxy.has_ended(pid))


def until(holds, wait_s: float = 60.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_takes_the_place_of_another(program: Path, place: EdgeFiles) -> None:
    assert haproxy.running_pid(place.commands) is None
    first = haproxy.start(program, place)
    assert haproxy.running_pid(place.commands) == first
    second = haproxy.start(program, place)
    assert haproxy.running_pid(place.commands) == second
    assert second != first
    until(lambda: haproxy.has_ended(first))
    assert haproxy.query(place.commands, "show info").count(b"Pid:") == 1


def test_an_invalid_configuration_changes_nothing(program: Path, place: EdgeFiles) -> None:
    running = haproxy.start(program, place)
    place.config.write_text("frontend x\n    no-such-keyword\n")
    with pytest.raises(haproxy.NotStarted, match="no-such-keyword"):
        haproxy.start(program, place)
    assert haproxy.running_pid(place.commands) == running


def test_another_program_at_the_socket_has_no_process_id(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "x.sock"))
        assert haproxy.running_pid(tmp_path / "x.sock") is None
