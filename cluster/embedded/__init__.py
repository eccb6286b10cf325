"""The embedded default: a real PostgreSQL and a real Redis out of wheels, under `$QUORUM_HOME`."""

from cluster.embedded.postgres import EmbeddedPostgres
from cluster.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis"]
