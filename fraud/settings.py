"""Every setting of Quorum, once. Read in composition roots only and handed down.

Each is an environment variable: `QUORUM_<NAME>`, but `DATABASE_URL`, `DATABASE_REPLICA_URL`,
`REDIS_URL` and AWS's own carry no prefix, as platforms set them. `$QUORUM_HOME/settings.env`,
which `quorum up` writes, is read first; the environment overrides it.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from fraud.limits import TENANT_PATTERN


def default_lanes() -> int:
    """Where two processors do everything, a second micro-batch in flight only makes both smaller:
    measured, a sixth more processor time a decision."""
    return 1 if (os.cpu_count() or 1) <= 2 else 2


class Settings(BaseSettings):
    """Settings with their defaults; each field's description says what it does."""

    model_config = SettingsConfigDict(env_prefix="QUORUM_", extra="ignore")

    home: Path = Field(Path(".quorum"), description="folder for everything Quorum keeps locally")
    database_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL; unset: the embedded one",
    )
    database_replica_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_REPLICA_URL", "database_replica_url"),
        description="PostgreSQL for read queries; unset: DATABASE_URL",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("REDIS_URL", "redis_url"),
        description="Redis; unset: the embedded one",
    )
    mlflow_tracking_uri: str | None = Field(None, description="unset: SQLite under home")
    artifacts_at: str | None = Field(
        None,
        validation_alias=AliasChoices("QUORUM_ARTIFACTS", "artifacts_at"),
        description="where models lie: a folder, file:///folder or s3://bucket/prefix; unset:"
        " home/artifacts",
    )
    artifact_cache_mib: int = Field(
        2048, gt=0, description="copies of models that lie elsewhere, on this machine's disk"
    )
    s3_endpoint_url: str | None = Field(
        None,
        validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "s3_endpoint_url"),
        description="of another server that speaks S3; unset: AWS",
    )
    key_pepper: SecretStr | None = Field(None, description="secret that API key hashes depend on")
    http_host: str = Field("127.0.0.1", description="address that the HTTP front listens at")
    http_port: int = Field(8000, description="port of the HTTP front", ge=1, le=65535)
    dashboard_port: int = Field(8265, description="port of the Ray dashboard", ge=1, le=65535)
    ray_port: int = Field(6379, description="port of the Ray head node", ge=1, le=65535)
    haproxy_stats_port: int = Field(8404, description="HAProxy's statistics", ge=1, le=65535)
    fallback_port: int = Field(
        8500, description="what HAProxy turns to while no replica is up", ge=1, le=65535
    )
    haproxy_metrics_port: int = Field(9101, description="HAProxy's metrics", ge=1, le=65535)
    tenant: str = Field(
        "default", description="tenant that the command line works for", pattern=TENANT_PATTERN
    )
    database_pool_size: int = Field(4, ge=1, le=100)
    database_timeout_s: float = Field(5.0, gt=0)
    links: Path | None = Field(
        None,
        description="folder of the sockets by which replicas of one machine ask each other, for "
        "this user alone, with a short path; unset: they ask over Serve's handles",
    )
    redis_timeout_ms: int = Field(250, gt=0, description="longest wait for one Redis answer")
    rebuild_wait_ms: int = Field(
        100, gt=0, description="longest wait for the history of a customer that Redis does not know"
    )
    max_body_bytes: int = Field(256 * 1024, gt=0)
    max_batch_body_bytes: int = Field(1024 * 1024, gt=0)
    max_batch_rows: int = Field(1000, gt=0)
    max_future_s: int = Field(300, description="how far ahead a timestamp may lie", ge=0)
    max_past_days: int = Field(
        7,
        description="how far back the timestamp of a payment may lie that is to be decided on; "
        "older ones are loaded. States that are rebuilt look back so much further",
        gt=0,
        le=36_500,
    )
    replay_ttl_s: int = Field(
        86_400, description="how long a transaction id is remembered as seen", gt=0
    )
    request_timeout_ms: int = Field(2_000, gt=0, description="longest wait for a decision")
    max_queued_rows: int = Field(4_096, gt=0, description="rows that may wait at one ingress")
    drift_interval_s: float = Field(
        60.0, ge=0, description="how often drift is measured for the metrics; 0: never"
    )
    max_rows_per_call: int = Field(256, gt=0, description="rows of one micro-batch at most")
    lanes: int = Field(
        default_factory=default_lanes,
        gt=0,
        description="micro-batches of single payments in flight from one ingress, for each "
        "combiner; unset: by the machine's processors",
    )

    @classmethod
    def load(cls) -> Settings:
        """Settings of this process: `$QUORUM_HOME/settings.env`, then the environment."""
        home = Path(os.environ.get("QUORUM_HOME", ".quorum")).absolute()
        return cls(_env_file=home / "settings.env", home=home)  # type: ignore[call-arg]

    @property
    def artifacts_url(self) -> str:
        """Where the model artifacts lie; `artifacts.location.store_of` opens it."""
        return self.artifacts_at or str(self.artifacts)

    @property
    def artifacts(self) -> Path:
        """The folder of the model artifacts where nothing names another place."""
        return self.home / "artifacts"

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking URI."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home / 'mlflow.db'}"
