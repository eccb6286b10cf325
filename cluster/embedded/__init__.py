"""The embedded stores: a real PostgreSQL and a real Redis from wheels, under `$QUORUM_HOME`."""

from cluster.embedded.postgres import EmbeddedPostgres
from cluster.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis"]
