"""The embedded Redis: restarts, kills, its password, a damaged log of writes."""

from __future__ import annotations

import os
import signal
import socket

import pytest
import redis

from cluster.embedded import EmbeddedRedis


def test_a_port_that_is_taken_is_changed(redis_server: EmbeddedRedis) -> None:
    redis_server.stop()
    port = int(redis_server.url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as intruder:
        intruder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        intruder.bind(("127.0.0.1", port))
        intruder.listen()
        assert redis_server.start()
        assert f":{port}/" not in redis_server.url
        assert redis_server.running


def test_redis_keeps_data_over_a_restart_and_a_kill(redis_server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("kept", "7")
        assert client.info("server")["redis_version"].startswith("6.2")
    redis_server.stop()
    redis_server.start()
    pid = redis_server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("kept") == b"7"


def test_redis_asks_for_its_password(redis_server: EmbeddedRedis) -> None:
    port = redis_server.url.rpartition(":")[2]
    with (
        redis.Redis.from_url(f"redis://127.0.0.1:{port}") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_a_damaged_log_of_writes_is_cut_back(redis_server: EmbeddedRedis) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("early", "1")
        client.set("late", "2")
    redis_server.stop()
    journal = redis_server.folder / "appendonly.aof"
    whole = journal.read_bytes()
    at = whole.index(b"late") - 8
    journal.write_bytes(whole[:at] + b"garbage\r\n" + whole[at:])
    assert redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.get("early") == b"1"
