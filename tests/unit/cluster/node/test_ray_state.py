"""The Redis that keeps Ray's state."""

from __future__ import annotations

import pytest

from cluster.node.ray_state import RedisState
from fraud.errors import SettingInvalid


def test_ray_gets_address_and_login() -> None:
    state = RedisState.of("redis://me:p%40ss@cache:7000/0")
    assert state.variables({}) == {
        "RAY_REDIS_ADDRESS": "cache:7000",
        "RAY_external_storage_namespace": "quorum",
    }
    assert state.options() == ["--redis-username=me", "--redis-password=p@ss"]
    assert "p@ss" not in repr(state)


def test_tls_is_passed_on() -> None:
    assert (
        RedisState.of("rediss://cache").variables({})["RAY_REDIS_ADDRESS"] == "rediss://cache:6379"
    )


def test_what_kuberay_has_set_stays() -> None:
    given = {"RAY_REDIS_ADDRESS": "other:1", "RAY_external_storage_namespace": "uid"}
    assert RedisState.of("redis://cache").variables(given) == given


def test_no_login_needs_no_options() -> None:
    assert RedisState.of("redis://cache").options() == []


@pytest.mark.parametrize("url", ["unix:///run/redis.sock", "rediss://cache?ssl_ca_certs=/ca"])
def test_what_ray_cannot_use_is_refused(url: str) -> None:
    with pytest.raises(SettingInvalid, match="QUORUM_GCS=redis") as raised:
        RedisState.of(url)
    assert "QUORUM_GCS=disk" in raised.value.args[2]
