"""What `Session` needs of asyncpg beyond its documentation. If this fails after an upgrade, look at
`stores/postgres/session.py` before raising the ceiling in pyproject.toml."""

from __future__ import annotations

import inspect

import asyncpg
import pytest

from stores.postgres.session import Session


@pytest.mark.parametrize("name", ["_execute", "_executemany"])
def test_statements_go_through_the_methods_that_session_wraps(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(asyncpg.Connection, name))
    assert getattr(Session, name) is not getattr(asyncpg.Connection, name)


@pytest.mark.parametrize(
    ("method", "inner"),
    [
        ("fetch", "_execute"),
        ("fetchval", "_execute"),
        ("fetchrow", "_execute"),
        ("executemany", "_executemany"),
    ],
)
def test_the_documented_methods_call_them(method: str, inner: str) -> None:
    assert f"self.{inner}(" in inspect.getsource(getattr(asyncpg.Connection, method))


def test_names_of_statements_come_from_one_method() -> None:
    assert list(inspect.signature(asyncpg.Connection._get_unique_id).parameters) == [
        "self",
        "prefix",
    ]
    source = inspect.getsource(asyncpg.Connection)
    assert "self._get_unique_id('stmt')" in source or 'self._get_unique_id("stmt")' in source


def test_a_connection_keeps_its_transport() -> None:
    assert "_transport" in asyncpg.Connection.__slots__


def test_a_pool_resets_a_connection_that_is_given_back() -> None:
    from asyncpg.pool import PoolConnectionHolder

    assert "reset(" in inspect.getsource(PoolConnectionHolder.release)
