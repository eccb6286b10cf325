"""Addresses of PostgreSQL: libpq's parameters are accepted, or named in the error."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from fraud.errors import SettingInvalid
from stores.postgres.url import Address, address_of

SECRET = "hid_den7"


@pytest.mark.parametrize(
    ("url", "hosts", "user", "password", "database"),
    [
        ("postgresql://u:p@h:5433/d", (("h", 5433),), "u", "p", "d"),
        ("postgres://u:p@h/d", (("h", 5432),), "u", "p", "d"),
        ("postgresql+asyncpg://u:p@h/d", (("h", 5432),), "u", "p", "d"),
        ("postgresql+psycopg2://u:p@h/d", (("h", 5432),), "u", "p", "d"),
        ("  postgresql://u@h/d\n", (("h", 5432),), "u", None, "d"),
        ("postgresql://h", (("h", 5432),), None, None, None),
        ("postgresql:///d", (), None, None, "d"),
        ("postgresql://", (), None, None, None),
        ("postgresql://a:1,b:2,c/d", (("a", 1), ("b", 2), ("c", 5432)), None, None, "d"),
        ("postgresql://[::1]:5433/d", (("::1", 5433),), None, None, "d"),
        ("postgresql://u:p%40%2F%3A%3F%23%25@h/d", (("h", 5432),), "u", "p@/:?#%", "d"),
        ("postgresql://u:p@ss@h/d", (("h", 5432),), "u", "p@ss", "d"),
        ("postgresql://u:p?q@h/d", (("h", 5432),), "u", "p?q", "d"),
        ("postgresql://u:p#q@h/d", (("h", 5432),), "u", "p#q", "d"),
        ("postgresql://u:a+b@h/d%20e", (("h", 5432),), "u", "a+b", "d e"),
        ("postgresql://%2Frun%2Fpg/d", (("/run/pg", 5432),), None, None, "d"),
        ("postgresql:///d?host=/run/pg&port=5433", (("/run/pg", 5433),), None, None, "d"),
        ("postgresql:///d?host=a,b&port=1,2", (("a", 1), ("b", 2)), None, None, "d"),
        ("postgresql:///?dbname=d&user=u&password=a+b%26", (), "u", "a+b&", "d"),
        ("postgresql://h?user=a@b", (("h", 5432),), "a@b", None, None),
        ("postgresql://h/d?hostaddr=10.0.0.1", (("10.0.0.1", 5432),), None, None, "d"),
        (
            "host=h port=5433 dbname='my base' user=u password='a\\'b c'",
            (("h", 5433),),
            "u",
            "a'b c",
            "my base",
        ),
        ("dbname=d host = /run/pg", (("/run/pg", 5432),), None, None, "d"),
    ],
)
def test_forms(
    url: str,
    hosts: tuple[tuple[str, int], ...],
    user: str | None,
    password: str | None,
    database: str | None,
) -> None:
    found = address_of(url)
    assert (found.hosts, found.user, found.password, found.database) == (
        hosts,
        user,
        password,
        database,
    )


def _of(parameters: str) -> Address:
    return address_of(f"postgresql://u:{SECRET}@h/d?{parameters}")


def test_parameters_are_taken() -> None:
    found = _of(
        "connect_timeout=10&application_name=a%20b&options=-c%20search_path%3Dx"
        "&target_session_attrs=read-write&load_balance_hosts=random&keepalives=0"
        "&keepalives_idle=30&keepalives_interval=5&keepalives_count=3&tcp_user_timeout=9000"
        "&passfile=/x&krbsrvname=pg&gsslib=gssapi"
    )
    assert found.connect_timeout_s == 10
    assert dict(found.server_settings) == {
        "application_name": "a b",
        "options": "-c search_path=x",
    }
    assert found.session_attrs == "read-write"
    assert found.shuffled
    assert not found.keepalive
    assert dict(found.socket_options) == {
        "TCP_KEEPIDLE": 30,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 9000,
    }
    assert (found.passfile, found.krbsrvname, found.gsslib) == ("/x", "pg", "gssapi")


@pytest.mark.parametrize(
    "harmless",
    [
        "channel_binding=prefer",
        "channel_binding=disable",
        "gssencmode=disable",
        "gssencmode=prefer",
        "sslcompression=0",
        "sslcertmode=allow",
        "sslsni=1",
        "replication=false",
        "client_encoding=UTF8",
        "max_protocol_version=latest",
        "connect_timeout=0",
        "connect_timeout=-1",
        "connect_timeout=",
        "keepalives_idle=0",
        "channel_binding=",
        "",
    ],
)
def test_a_value_without_effect_is_accepted(harmless: str) -> None:
    assert _of(harmless) == _of("")


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("channel_binding=require", "channel_binding=require"),
        ("gssencmode=require", "gssencmode=require"),
        ("sslcertmode=require", "sslcertmode=require"),
        ("require_auth=scram-sha-256", "require_auth"),
        ("requirepeer=postgres", "requirepeer"),
        ("sslcrldir=/x", "sslcrldir"),
        ("replication=database", "replication"),
        ("client_encoding=latin1", "client_encoding"),
        ("sslmode=verify", "sslmode"),
        ("sslmode=REQUIRE", "sslmode"),
        ("connect_timeout=soon", "connect_timeout"),
        ("connect_timeout=1_0", "connect_timeout"),
        ("connect_timeout=1.5", "connect_timeout"),
        ("keepalives=maybe", "keepalives"),
        ("keepalives_idle=x", "keepalives_idle"),
        ("target_session_attrs=master", "target_session_attrs"),
        ("load_balance_hosts=yes", "load_balance_hosts"),
        ("port=x", "port"),
        ("port=0", "port"),
        ("port=70000", "port"),
        ("port=1,2,3", "ports"),
        ("conect_timeout=5", "connect_timeout"),
        ("statement_timeout=5", "statement_timeout"),
        ("sslrootcert=system&sslmode=require", "sslrootcert=system"),
        ("sslnegotiation=direct", "sslnegotiation=direct"),
        ("ssl_min_protocol_version=SSLv3", "ssl_min_protocol_version"),
        ("hostaddr=10.0.0.1&sslmode=verify-full", "hostaddr"),
        ("pgbouncer=maybe", "pgbouncer"),
        ("service=nowhere", "service file"),
        ("connect_timeout", "no value"),
    ],
)
def test_an_unsupported_parameter_is_named(parameters: str, name: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        _of(parameters)
    said = str(refused.value)
    assert said.startswith("DATABASE_URL: ")
    assert name in said
    assert SECRET not in said
    value = parameters.partition("=")[2]
    assert refused.value.hint
    if name not in parameters:
        assert value not in said or len(value) < 3


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h/d",
        f"jdbc:postgresql://u:{SECRET}@h/d",
        f"u:{SECRET}@h/d",
        f"h:5432/{SECRET}",
        f"'postgresql://u:{SECRET}@h/d'",
        f"postgresql://u:{SECRET}/x@h/d",
        f"postgresql://u:{SECRET}",
        f"postgresql://u:{SECRET}:x@h:1:2/d",
        f"postgresql://u:x@h:{SECRET}/d",
        f"postgresql://u:x@[::1/{SECRET}",
        f"postgresql://u:x@h/d?{SECRET}",
        f"postgresql://u:x@h/d?{SECRET}!=1",
        f"host=h password='{SECRET}",
        "",
        " ",
    ],
)
def test_an_unreadable_address_is_refused_without_its_text(url: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        address_of(url, "DATABASE_REPLICA_URL")
    said = str(refused.value)
    assert said.startswith("DATABASE_REPLICA_URL: ")
    assert SECRET not in said


def test_an_address_does_not_show_its_password() -> None:
    assert SECRET not in repr(_of("sslpassword=" + SECRET + "&sslmode=require"))
    assert SECRET not in _of("").place


@pytest.mark.parametrize(
    ("parameters", "mode"),
    [
        ("sslmode=require", "require"),
        ("ssl=require", "require"),
        ("ssl=true", "require"),
        ("requiressl=1", "require"),
        ("ssl=true&sslmode=prefer", "prefer"),
        ("ssl=false", "prefer"),
    ],
)
def test_other_names_of_sslmode(parameters: str, mode: str) -> None:
    assert dict(_of(parameters).tls.given)["sslmode"] == mode


@pytest.mark.parametrize(
    "parameters",
    ["sslrootcert=system", "sslrootcert=system&sslmode=verify-full", "sslrootcert=system&ssl="],
)
def test_the_system_s_authorities_are_believed_and_the_host_s_name_is_checked(
    parameters: str,
) -> None:
    context = _of(parameters).tls.arguments()["ssl"]
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey", "sslcrl"])
def test_a_missing_file_is_named_by_its_parameter(name: str) -> None:
    with pytest.raises(SettingInvalid, match=f"file of {name}"):
        _of(f"sslmode=verify-full&{name}=/no/where").tls.arguments()


def test_verification_needs_an_authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    with pytest.raises(SettingInvalid, match="sslrootcert=system"):
        _of("sslmode=verify-full").tls.arguments()


@pytest.mark.parametrize(
    ("parameters", "pooled"),
    [
        ("", None),
        ("pgbouncer=true", True),
        ("pgbouncer=false", False),
        ("prepared_statement_cache_size=0", True),
        ("statement_cache_size=0", True),
        ("statement_cache_size=100", None),
    ],
)
def test_a_pooler_is_declared_as_for_other_tools(parameters: str, pooled: bool | None) -> None:
    assert _of(parameters).pooled is pooled


def test_a_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "services.conf"
    file.write_text(
        "# ours\n[fraud]\nhost=db.example\nport=5433\nuser=u\ndbname=d\nconnect_timeout=7\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    address_of.cache_clear()
    found = address_of("postgresql:///?service=fraud&user=other")
    assert (found.hosts, found.user, found.database) == ((("db.example", 5433),), "other", "d")
    assert found.connect_timeout_s == 7
    with pytest.raises(SettingInvalid, match="does not have the service"):
        address_of("service=nobody")
    file.write_text("host=x\n")
    with pytest.raises(SettingInvalid, match="damaged"):
        address_of("service=fraud")
    address_of.cache_clear()


@pytest.mark.parametrize(
    ("url", "why", "hint"),
    [
        ("postgresql://h:99999/d", "the port is too large", "use at most 65535"),
        ("postgresql://h:0/d", "the port is too small", "use at least 1"),
        ("postgresql://h:5x/d", "the port is not a whole number", "write digits only"),
        ("postgresql://h/d?connect_timeout=2.5", "connect_timeout is not a whole", "write digits"),
        ("postgresql://h/d?keepalives_idle=-1", "keepalives_idle is too small", "use at least 0"),
    ],
)
def test_a_wrong_number_is_named_with_its_limits(url: str, why: str, hint: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        address_of(url)
    assert refused.value.why.startswith(why)
    assert refused.value.hint.startswith(hint)
