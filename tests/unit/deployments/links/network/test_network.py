"""The network of a node, as the settings say."""

from __future__ import annotations

import pytest

from deployments.links.network.network import Network
from deployments.links.network.proof import Prover
from fraud.errors import SettingInvalid
from settings.settings import Settings

SET = {"host": "10.0.0.5", "key_pepper": "p", "redis_url": "redis://:secret@redis:6379/0"}


def test_it_is_made_of_the_settings(monkeypatch):
    monkeypatch.delenv("RAY_USE_TLS", raising=False)
    network = Network.of(Settings(**SET), "node", "cluster")
    assert (network.address, network.node, network.ports) == ("10.0.0.5", "node", (20_000, 20_999))
    assert network.tls is None
    assert network.registry() is not network.registry()
    nonce, hello = network.prover.hello("a")
    reply, expected = Prover("p").reply("a", hello)
    Prover("p").check(network.prover.answer("a", nonce, reply), expected)
    assert "secret" not in repr(network)


@pytest.mark.parametrize("missing", ["key_pepper", "redis_url"])
def test_what_is_missing_is_named(missing):
    name = {"key_pepper": "QUORUM_KEY_PEPPER", "redis_url": "REDIS_URL"}[missing]
    with pytest.raises(SettingInvalid, match=f"{name}: it is not set"):
        Network.of(Settings(**{**SET, missing: None}), "node", "cluster")


def test_tls_that_cannot_be_used_stops_it(monkeypatch):
    monkeypatch.setenv("RAY_USE_TLS", "1")
    monkeypatch.delenv("RAY_TLS_SERVER_CERT", raising=False)
    with pytest.raises(SettingInvalid, match="RAY_TLS_SERVER_CERT"):
        Network.of(Settings(**SET), "node", "cluster")
