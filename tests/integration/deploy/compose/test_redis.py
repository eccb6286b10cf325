"""The Redis of deploy/compose.yaml: its configuration and users on a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from tests.contracts.compose import FOLDER, command, services
from tests.contracts.ports import free_ports
from tests.contracts.waiting import PATIENCE_S

from .conftest import Start

Address = tuple[int, str]


def programs() -> list[str]:
    """The Redis 6.2 of our wheel, and the system's where there is one."""
    found = [str(Path(sys.executable).parent / "redis-server"), shutil.which("redis-server")]
    return [path for path in dict.fromkeys(found) if path]


@pytest.fixture(scope="module", params=programs())
def server(
    request: pytest.FixtureRequest, folder: Path, secrets: Path, start: Start
) -> tuple[int, str]:
    """Port, and URL of the secret that leads there."""
    (port,) = free_ports(1)
    data = folder / f"redis-{port}"
    data.mkdir()
    text = (FOLDER / "redis.conf").read_text()
    for there, here in (
        ("port 6379", f"port {port}\nbind 127.0.0.1"),
        ("dir /data", f"dir {data}"),
        ("/run/secrets", str(secrets)),
    ):
        assert there in text
        text = text.replace(there, here)
    (data / "redis.conf").write_text(text)
    words = command("redis", {"/etc/redis.conf": str(data / "redis.conf")})
    assert words[0] == "redis-server"
    start([request.param, *words[1:]], lambda: _answers(port))
    url = (secrets / "redis_url").read_text().strip()
    assert "@redis:6379/" in url
    return port, url.replace("@redis:6379", f"@127.0.0.1:{port}")


def _answers(port: int) -> bool:
    try:
        return bool(redis.Redis("127.0.0.1", port).ping())
    except redis.ConnectionError:
        return False


def test_the_health_check_needs_no_password(server: Address, tmp_path: Path) -> None:
    port, _ = server
    (kind, check) = services()["redis"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    done = subprocess.run(
        ["/bin/sh", "-c", check.replace("$$", "$").replace("redis-cli", f"redis-cli -p {port}")],
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_nobody_else_gets_in(server: Address) -> None:
    port, _ = server
    stranger = redis.Redis("127.0.0.1", port)
    for words in (("GET", "a"), ("SET", "a", "b"), ("INFO",), ("KEYS", "*"), ("ACL", "LIST")):
        with pytest.raises((redis.exceptions.NoPermissionError, redis.ResponseError)):
            stranger.execute_command(*words)


def test_quorum_may_do_its_work_and_not_change_the_server(server: Address) -> None:
    client = redis.Redis.from_url(server[1])
    assert urlsplit(server[1]).username == "quorum"
    assert client.set("a", "b", px=60_000)
    assert client.eval("return redis.call('GET', KEYS[1])", 1, "a") == b"b"
    assert client.evalsha(client.script_load("return 7"), 0) == 7
    with client.pubsub() as announcements:
        announcements.subscribe("c")
        assert announcements.get_message(timeout=PATIENCE_S) is not None
        assert client.publish("c", "d") == 1
    assert "redis_version" in client.info()
    assert client.delete("a") == 1
    for words in (
        ("CONFIG", "SET", "dir", "/"),
        ("FLUSHALL",),
        ("SHUTDOWN",),
        ("REPLICAOF", "NO", "ONE"),
        ("DEBUG", "SLEEP", "0"),
        ("ACL", "SETUSER", "x"),
    ):
        with pytest.raises((redis.exceptions.NoPermissionError, redis.ResponseError)):
            client.execute_command(*words)


def test_it_never_throws_state_away(server: Address) -> None:
    memory = redis.Redis.from_url(server[1]).info("memory")
    limit = int(services()["redis"]["deploy"]["resources"]["limits"]["memory"])
    assert memory["maxmemory_policy"] == "noeviction"
    assert 0 < memory["maxmemory"] <= limit / 2  # a rewrite of the log may take a second copy
    assert redis.Redis.from_url(server[1]).info("persistence")["aof_enabled"] == 1
