"""Errors of commands when an external store cannot be used."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.cli import run
from cluster.home.connection import check_stores
from fraud.errors import SettingInvalid, StoreUnreachable
from settings.settings import Settings
from stores.redis.connection import RedisConnection
from stores.redis.errors import NotServing

SECRET = "hid_den7"


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that does not answer."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def said_of(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setenv("DATABASE_URL", url)
    assert run(["keys", "list"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "quorum up" not in said
    assert "DATABASE_URL" in said
    assert SECRET not in said
    return said


@pytest.mark.parametrize(
    "parameters",
    [
        "connect_timeout=10",
        "channel_binding=prefer",
        "sslmode=prefer",
        "sslmode=disable&gssencmode=disable&application_name=x",
        "target_session_attrs=read-write",
        "keepalives=1&keepalives_idle=30&tcp_user_timeout=5000",
        "options=-c%20statement_timeout%3D5000",
        "pgbouncer=true",
        "",
    ],
)
def test_libpq_s_parameters_work(
    parameters: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for url in (database_url, database_url.replace("postgresql://", "postgresql+asyncpg://")):
        monkeypatch.setenv("DATABASE_URL", f"{url}?{parameters}")
        assert run(["keys", "list"]) == 0, capsys.readouterr().err


def test_several_hosts(database_url: str, silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three stores: one refuses, one never answers, one is up."""
    head, _, tail = database_url.rpartition("@")
    monkeypatch.setenv(
        "DATABASE_URL", f"{head}@127.0.0.1:1,127.0.0.1:{silent},{tail}?connect_timeout=3"
    )
    assert run(["keys", "list"]) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("quorum:", f"quorum:{SECRET}"), "refuses user or password"),
        (("quorum:", f"nobody:{SECRET}"), "refuses user or password"),
        (("/t_", "/no_such_"), "no such database 'no_such_"),
        (("127.0.0.1", "no-such-host.invalid"), "host name does not resolve"),
    ],
)
def test_a_store_that_refuses_us(
    change: tuple[str, str],
    words: str,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert words in said_of(database_url.replace(*change), monkeypatch, capsys)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/d", "refuses the connection"),
        (f"postgresql://u:{SECRET}@h/d?channel_binding=require", "channel_binding=require"),
        (f"postgresql://u:{SECRET}@h/d?sslrootcert=/no/where", "sslrootcert"),
        (f"postgresql://u:{SECRET}@h/d?host=/no/where", "no such socket"),
        (f"mysql://u:{SECRET}@h/d", "postgresql://"),
        (f"postgresql://u:{SECRET}@h:port/d", "port"),
    ],
)
def test_an_address_that_is_wrong(
    url: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in said_of(url, monkeypatch, capsys)


def test_a_server_without_tls(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "sslmode" in said_of(f"{database_url}?sslmode=require", monkeypatch, capsys)
    assert "sslmode" in said_of(f"{database_url}?sslrootcert=system", monkeypatch, capsys)


def test_a_server_that_does_not_answer(
    silent: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"postgresql://u:{SECRET}@127.0.0.1:{silent}/d?connect_timeout=1"
    assert "does not answer in time" in said_of(url, monkeypatch, capsys)


def test_the_embedded_one_is_started_by_quorum_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.env").write_text(
        f"DATABASE_URL=postgresql://u:{SECRET}@127.0.0.1:1/d\n"
    )
    assert run(["keys", "list"]) == 1
    said = capsys.readouterr().err
    assert "quorum up" in said
    assert SECRET not in said


def _settings(database_url: str, redis_url: str) -> Settings:
    return Settings(database_url=database_url, redis_url=redis_url)  # type: ignore[arg-type]


async def test_stores_are_checked_before_anything_starts(
    database_url: str, redis_url: str, silent: int
) -> None:
    await check_stores(_settings(database_url, redis_url))
    wrong = {
        redis_url.replace("@", f"{SECRET}@"): "refuses user or password",
        f"redis://:{SECRET}@127.0.0.1:1/0": "refuses the connection",
        redis_url.replace("127.0.0.1", "no-such-host.invalid"): "host name does not resolve",
        redis_url.replace("redis://", "rediss://"): "TLS|in time",
        f"{redis_url[:-1]}99999": "no such database",
        "redis://" + redis_url.rpartition("@")[2]: "refuses user or password",
        "unix:///no/where": "no such socket",
    }
    for url, words in wrong.items():
        with pytest.raises(StoreUnreachable, match=words) as refused:
            await check_stores(_settings(database_url, url))
        assert SECRET not in f"{refused.value} {refused.value.hint}"
        assert "REDIS_URL" in refused.value.hint
    with pytest.raises(SettingInvalid, match="REDIS_URL"):
        await check_stores(_settings(database_url, "localhost:6379"))


async def test_a_redis_that_is_a_replica_is_refused(database_url: str, redis_url: str) -> None:
    link = RedisConnection(redis_url, 30_000)
    await link.call("REPLICAOF", "127.0.0.1", "1")
    try:
        with pytest.raises(NotServing, match="READONLY"):
            await check_stores(_settings(database_url, redis_url))
    finally:
        await link.call("REPLICAOF", "NO", "ONE")
        await link.close()


def test_status_checks_external_stores(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    assert run(["status", "--json"]) == 0
    assert [store["running"] for store in json.loads(capsys.readouterr().out)["stores"]] == [
        True,
        True,
    ]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{SECRET}@127.0.0.1:1/d")
    monkeypatch.setenv("REDIS_URL", f"redis://:{SECRET}@127.0.0.1:1/0")
    assert run(["status", "--json"]) == 0
    said = capsys.readouterr().out
    postgres, redis = json.loads(said)["stores"]
    assert not postgres["running"]
    assert "refuses the connection" in postgres["error"]
    assert not redis["running"]
    assert "refuses the connection" in redis["error"]
    assert SECRET not in said
