"""The Redis in which the head of several nodes keeps Ray's state, so that another machine can take
its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cluster.errors import CommandFailed
from fraud.errors import SettingInvalid
from stores.redis.url import address_of

NAMESPACE = "quorum"
"""Ray puts it before its keys. One Redis serves one Quorum."""
_ADDRESS, _NAMESPACE = "RAY_REDIS_ADDRESS", "RAY_external_storage_namespace"


@dataclass(frozen=True, slots=True)
class RedisState:
    """A Redis as Ray takes it: a host, a login, with or without TLS.

    Other users of the machine can see the password among the arguments of Ray's GCS: Ray takes it
    in no other way.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False

    @classmethod
    def of(cls, url: str) -> RedisState:
        """Return the Redis of a URL.

        Raises:
            SettingInvalid: it is a Unix socket, or has certificates of its own.
        """
        found = address_of(url)
        given = dict(found.arguments)
        if "path" in given or any(name.startswith("ssl_") for name in given):
            raise SettingInvalid(
                found.variable,
                "Ray cannot keep its state there (QUORUM_GCS=redis)",
                "Ray takes redis:// and rediss:// with host, port, user and password; or set"
                " QUORUM_GCS=disk",
            )
        return cls(
            given["host"],
            given["port"],
            given.get("username", ""),
            given.get("password", ""),
            found.kind.__name__ == "SSLConnection",
        )

    def variables(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return the variables by which Ray finds it.

        Those that another program has set, as KubeRay does, stay.
        """
        scheme = "rediss://" if self.tls else ""
        ours = {_ADDRESS: f"{scheme}{self.host}:{self.port}", _NAMESPACE: NAMESPACE}
        return {name: environment.get(name, value) for name, value in ours.items()}

    def options(self) -> list[str]:
        """Return the options of `ray start --head`."""
        login = {"--redis-username": self.username, "--redis-password": self.password}
        return [f"{name}={value}" for name, value in login.items() if value]

    def clear(self) -> None:
        """Remove the state of a cluster that has ended.

        Raises:
            CommandFailed: Redis does not answer.
        """
        from ray._private.gcs_utils import cleanup_redis_storage

        login = (self.password, self.tls, NAMESPACE, self.username)
        try:
            cleanup_redis_storage(self.host, self.port, *login)
        except Exception as error:  # Ray's errors have no common class
            raise CommandFailed(
                f"Ray's state stays in the Redis at {self.host}:{self.port}:"
                f" {type(error).__name__}",
                "`quorum down` tries again when it answers",
            ) from error
