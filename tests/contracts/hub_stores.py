"""Stores of a cluster of machines: a real PostgreSQL and a real Redis that listen at the hub."""

from __future__ import annotations

from pathlib import Path

from cluster.embedded import EmbeddedPostgres, EmbeddedRedis
from cluster.embedded.account import Account
from cluster.embedded.endpoint import Endpoint
from tests.contracts.machines import HUB


class HubPostgres(EmbeddedPostgres):
    """A PostgreSQL that all machines reach."""

    @property
    def url(self) -> str:
        return super().url.replace("127.0.0.1", HUB)

    def _configuration(self, endpoint: Endpoint) -> dict[str, str]:
        return {**super()._configuration(endpoint), "listen_addresses": f"127.0.0.1,{HUB}"}

    def _initialise(self, account: Account | None, endpoint: Endpoint) -> None:
        super()._initialise(account, endpoint)
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.77.0.0/24 scram-sha-256\n")


class HubRedis(EmbeddedRedis):
    """A Redis that all machines reach."""

    @property
    def url(self) -> str:
        return super().url.replace("127.0.0.1", HUB)

    def _configuration(self, endpoint: Endpoint) -> str:
        return super()._configuration(endpoint).replace("bind 127.0.0.1", f"bind 127.0.0.1 {HUB}")


def hub_stores(folder: Path) -> tuple[HubPostgres, HubRedis]:
    """Start both, for a test within `machines.hub()`. They die with the test process."""
    servers = HubPostgres(folder / "pg", throwaway=True), HubRedis(folder / "redis", throwaway=True)
    for server in servers:
        server.start()
    return servers
