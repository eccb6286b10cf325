"""Every setting of Quorum. Read them in composition roots only, and pass them down.

Each is an environment variable `QUORUM_<NAME>`. `DATABASE_URL`, `DATABASE_REPLICA_URL`, `REDIS_URL`
and AWS's own have no prefix, as platforms set them. `$QUORUM_HOME/settings.env`, which `quorum up`
writes, is read first; the environment overrides it. Secrets may come in files (`secret_files.py`).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fraud.payment.limits import TENANT_PATTERN
from fraud.variant import HOUSE
from settings.port_range import PortRange, Ports
from settings.secret_files import SECRETS, SUFFIX, secrets_from_files

logger = logging.getLogger(__name__)

_PREFIX = "QUORUM_"
# Set by Quorum itself, or read by its demonstration, benchmarks and tests.
_NO_SETTINGS = frozenset(
    (
        *("QUORUM_IMAGE", "QUORUM_NODE", "QUORUM_ROLL_OUT"),
        *("QUORUM_URL", "QUORUM_API_KEY", "QUORUM_API_KEYS"),
    )
)
_SECRET_FILES = frozenset(f"{name}{SUFFIX}" for name in SECRETS)
_NO_SETTINGS_BEGIN = ("QUORUM_LOAD_", "QUORUM_TEST_", "QUORUM_BENCH_")
_TRACKING_SCHEMES = (
    *("sqlite", "postgresql", "mysql", "mssql", "http", "https", "file", "databricks"),
    "databricks-uc",
)
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+(/|$)")
_warned: set[str] = set()


def default_lanes() -> int:
    """Return one lane on one or two processors, else two.

    On two processors a second micro-batch in flight only makes both smaller: measured, a sixth more
    processor time for each decision.
    """
    return 1 if (os.cpu_count() or 1) <= 2 else 2


def default_job_workers() -> int:
    """Return half of the processors, at least two: work of the lowest priority, which leaves the
    processor to decisions."""
    return max(2, (os.cpu_count() or 1) // 2)


def spare_waits() -> bool:
    """Return whether a spare ingress takes requests only while no other is up.

    On two processors, two ingresses that share the work only make smaller micro-batches.
    """
    return default_lanes() == 1


def leaving_file(home: Path) -> Path:
    """Return the file that exists while the node of a home is leaving, until it is started again:
    then it is not ready."""
    return home / "run" / "leaving"


class Settings(BaseSettings):
    """Settings and their defaults."""

    model_config = SettingsConfigDict(env_prefix="QUORUM_", extra="ignore")
    _home_tenant: str = PrivateAttr("")

    home: Path = Field(Path(".quorum"), description="folder of all that Quorum stores locally")
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
        description="location of model artifacts: a folder, file:///folder or s3://bucket/prefix;"
        " unset: home/artifacts",
    )
    artifact_cache_mib: int = Field(
        2048, gt=0, description="size of the local disk cache of remote model artifacts"
    )
    s3_endpoint_url: str | None = Field(
        None,
        validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "s3_endpoint_url"),
        description="URL of an S3-compatible server; unset: AWS",
    )
    key_pepper: SecretStr | None = Field(None, description="secret that API key hashes depend on")
    host: str = Field(
        "127.0.0.1",
        description="address of this machine for the other nodes; 127.0.0.1: there are no others",
    )
    head: str | None = Field(
        None, description="address of the head node, host or host:port; unset: this node is it"
    )
    gcs: Literal["disk", "redis"] = Field(
        "disk",
        description="where the head of several nodes keeps Ray's state: in home/gcs, or in the "
        "Redis of REDIS_URL, so that another machine can become the head",
    )
    http_host: str | None = Field(
        None,
        description="address that the HTTP API listens on; unset: 127.0.0.1, with several nodes "
        "every address",
    )
    http_port: int = Field(8000, description="port of the HTTP API", ge=1, le=65535)
    node_port: int = Field(
        8001, description="port of this node's own metrics and readiness", ge=1, le=65535
    )
    link_ports: PortRange = Field(
        Ports(20_000, 20_999),
        description="ports of the links between machines, first-last. Each replica takes one",
    )
    dashboard_port: int = Field(8265, description="port of the Ray dashboard", ge=1, le=65535)
    ray_port: int = Field(6379, description="port of the Ray head node", ge=1, le=65535)
    fallback_port: int = Field(
        8500,
        description="port of the page shown while no replica is up",
        ge=1,
        le=65535,
    )
    tenant: str = Field(
        "default",
        description="home tenant, whose models and plan are the house's, and that of commands",
        pattern=TENANT_PATTERN,
    )
    database_pool_size: int = Field(4, ge=1, le=100)
    database_timeout_s: float = Field(5.0, gt=0)
    links: Path | None = Field(
        None,
        description="folder of the sockets between replicas of one machine, private to this user, "
        "with a short path; unset: replicas use Serve's handles",
    )
    redis_timeout_ms: int = Field(250, gt=0, description="longest wait for one Redis answer")
    rebuild_wait_ms: int = Field(
        100, gt=0, description="longest wait for the history of a customer who is not in Redis"
    )
    max_body_bytes: int = Field(256 * 1024, gt=0)
    max_batch_body_bytes: int = Field(1024 * 1024, gt=0)
    max_batch_rows: int = Field(1000, gt=0)
    max_future_s: int = Field(300, description="how far in the future a timestamp may lie", ge=0)
    max_past_days: int = Field(
        7,
        description="how far in the past the timestamp of a payment to decide may lie; load older "
        "payments as history. Rebuilt states look back this much further",
        gt=0,
        le=36_500,
    )
    replay_ttl_s: int = Field(86_400, description="how long a transaction id is remembered", gt=0)
    request_timeout_ms: int = Field(2_000, gt=0, description="longest wait for a decision")
    log_durability: Literal["disk", "database"] = Field(
        "disk",
        description="where the record of a decision is before its answer: on this machine's disk, "
        "or in PostgreSQL as well",
    )
    training_runs_at: str | None = Field(
        None,
        validation_alias=AliasChoices("QUORUM_TRAINING_RUNS", "training_runs_at"),
        description="location of checkpoints while several nodes train: a folder that all of them "
        "mount, or s3://bucket/prefix; unset: home/cache/ray-train",
    )
    jobs_at: str | None = Field(
        None,
        validation_alias=AliasChoices("QUORUM_JOBS", "jobs_at"),
        description="location of the files of bulk scoring: a folder, file:///folder or "
        "s3://bucket/prefix; unset: home/jobs",
    )
    job_workers: int = Field(
        default_factory=default_job_workers,
        gt=0,
        description="processes that score the files of jobs on each node, at the lowest priority; "
        "unset: by the machine's processors",
    )
    job_sources: str = Field(
        "",
        description="folders and s3:// prefixes, separated by commas, from which jobs may read "
        "files that were not uploaded; empty: none",
    )
    job_retention_days: float = Field(7.0, gt=0, description="how long files of jobs are kept")
    max_upload_mib: int = Field(5 * 1024, gt=0, description="largest file of a job, as it comes")
    max_unpacked_mib: int = Field(20 * 1024, gt=0, description="largest file of a job, unpacked")
    max_open_jobs: int = Field(
        20, gt=0, description="most jobs of a tenant that have not ended; more are refused"
    )
    max_queued_rows: int = Field(4_096, gt=0, description="most rows that wait at one ingress")
    drift_interval_s: float = Field(
        60.0, ge=0, description="period of drift measurement for the metrics; 0: never"
    )
    steward_interval_s: float = Field(
        5.0, ge=0, description="period of looks at guard rails and canaries; 0: never"
    )
    max_rows_per_call: int = Field(256, gt=0, description="most rows of one micro-batch")
    lanes: int = Field(
        default_factory=default_lanes,
        gt=0,
        description="micro-batches of single payments in flight from one ingress to each combiner; "
        "unset: by the machine's processors",
    )

    @field_validator("host")
    @classmethod
    def _host(cls, host: str) -> str:
        try:
            address = ip_address(host.strip())
        except ValueError:
            raise ValueError("expected an IP address, such as 10.0.0.5") from None
        if address.is_unspecified:
            raise ValueError("expected the address that other nodes reach, such as 10.0.0.5")
        return str(address)

    @field_validator("mlflow_tracking_uri")
    @classmethod
    def _tracking_uri(cls, uri: str | None) -> str | None:
        uri = (uri or "").strip()
        scheme, colon, rest = uri.partition("://")
        if not colon and _HOST_AND_PORT.match(uri):
            raise ValueError("expected a URL that begins with http:// or https://")
        if not colon:
            return uri or None  # a folder
        if scheme == "postgres":  # unknown to SQLAlchemy
            return f"postgresql://{rest}"
        if scheme.partition("+")[0] not in _TRACKING_SCHEMES:
            raise ValueError(f"expected one of the schemes {', '.join(_TRACKING_SCHEMES)}")
        return uri

    @field_validator("s3_endpoint_url")
    @classmethod
    def _endpoint_url(cls, url: str | None) -> str | None:
        url = (url or "").strip()
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("expected a URL that begins with http:// or https://")
        if url and "@" in url:
            raise ValueError(
                "expected no user and password: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        return url or None

    @field_validator("artifacts_at", "jobs_at", "training_runs_at")
    @classmethod
    def _location(cls, url: str | None) -> str | None:
        return (url or "").strip() or None

    def model_post_init(self, _: object) -> None:
        """Remember the home tenant: copies may be for another one."""
        self._home_tenant = self.tenant

    @classmethod
    def load(cls) -> Settings:
        """Return the settings of this process: `$QUORUM_HOME/settings.env`, then the environment.

        Logs a warning once for each variable that looks like a setting but is none.

        Raises:
            SettingInvalid: a secret's file cannot be read.
            pydantic.ValidationError: a value is wrong.
        """
        home = Path(os.environ.get("QUORUM_HOME") or ".quorum").absolute()
        for warning in _unknown([*os.environ, *_names(home / "settings.env")]):
            if warning not in _warned:
                _warned.add(warning)
                logger.warning("%s", warning)
        secrets = {_field_of(name): value for name, value in secrets_from_files().items()}
        return cls(_env_file=home / "settings.env", home=home, **secrets)  # type: ignore[arg-type,call-arg]

    def for_tenant(self, tenant: str) -> Settings:
        """Return the same settings for work on another tenant; the home tenant stays the same."""
        return self.model_copy(update={"tenant": tenant})

    @property
    def home_tenant(self) -> str:
        """The tenant whose models and plan are the house's: they decide for every tenant without
        its own."""
        return self._home_tenant

    @property
    def owner(self) -> str:
        """The owner of the models and plans of `tenant`: `HOUSE` for the home tenant."""
        return self.owner_of(self.tenant)

    def owner_of(self, tenant: str) -> str:
        """Return the owner of a tenant's models and plans: `HOUSE` for the home tenant."""
        return HOUSE if tenant == self.home_tenant else tenant

    @property
    def several_nodes(self) -> bool:
        """Whether this node can have others beside it: it has an address that they reach."""
        return not ip_address(self.host).is_loopback

    @property
    def front_host(self) -> str:
        """The address that the HTTP API listens on."""
        return self.http_host or ("0.0.0.0" if self.several_nodes else "127.0.0.1")  # noqa: S104

    @property
    def leaving(self) -> Path:
        """A file that exists while this node is leaving, until it is started again: then it is not
        ready."""
        return leaving_file(self.home)

    @property
    def artifacts_url(self) -> str:
        """Location of the model artifacts; `models.store.location.store_of` opens it."""
        return self.artifacts_at or str(self.artifacts)

    @property
    def artifacts(self) -> Path:
        """Local folder of the model artifacts, used if `artifacts_at` is unset."""
        return self.home / "artifacts"

    @property
    def jobs_url(self) -> str:
        """Location of the files of bulk scoring; `bulk.jobs.store` opens it."""
        return self.jobs_at or str(self.home / "jobs")

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking URI."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home / 'mlflow.db'}"


def _unknown(names: Iterable[str]) -> list[str]:
    """A warning for each variable that looks like a setting but is none, with the nearest name."""
    known = {name.removeprefix(_PREFIX): name for name in sorted(_variables())}
    found = []
    present = {n.upper() for n in names if n.upper().startswith(_PREFIX)}
    for name in sorted(present - set(known.values())):
        if name in _NO_SETTINGS or name in _SECRET_FILES or name.startswith(_NO_SETTINGS_BEGIN):
            continue
        # Compared without the prefix, which would make all names similar.
        near = get_close_matches(name.removeprefix(_PREFIX), known, 1)
        hint = f": did you mean {known[near[0]]}?" if near else " and has no effect"
        found.append(f"{name} is not a setting{hint}")
    return found


def _field_of(variable: str) -> str:
    """Return the field that a variable sets."""
    return variable.removeprefix(_PREFIX).lower()


def _variables() -> frozenset[str]:
    """Names of the variables that set settings."""
    names = []
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [f"{_PREFIX}{name}"]
        names += [str(choice).upper() for choice in choices]
    return frozenset(name for name in names if name.isupper())


def _names(path: Path) -> list[str]:
    """Names of the variables in an environment file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    named = [line.partition("=")[0].strip().removeprefix("export ") for line in lines]
    return [name for name in named if name and not name.startswith("#")]
