"""The values of the Helm chart: what each is called, where it stands, what it may be.

Defaults are not here. They are what stands in `deploy/kubernetes/base` at the first place of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Place = tuple[str, str]
"""`Kind/name` of an object, and the path of a field in it, with slashes."""

_WORKER = "spec/rayClusterConfig/workerGroupSpecs/0"
_TRAINING = "spec/rayClusterConfig/workerGroupSpecs/1"
_HEAD = "spec/rayClusterConfig/headGroupSpec"
_SERVICE = "RayService/quorum"
_CONFIG = "ConfigMap/quorum-config"
_FIXED = (
    *("QUORUM_ARTIFACTS", "QUORUM_JOBS", "QUORUM_HOME", "QUORUM_HTTP_HOST"),
    *("QUORUM_GCS", "QUORUM_KEY_PEPPER_FILE", "QUORUM_MLFLOW_TRACKING_URI"),
)
"""Settings that have a value of their own, or hang together with other fields."""
_CRON = "spec/jobTemplate/spec/template/spec"


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    Attributes:
        name: dotted, as in values.yaml.
        text: what it is, for values.yaml and the schema.
        schema: JSON schema of the value.
        places: where it stands. None: wherever a text of the manifests equals the default.
        default: of a value with `everywhere`: the text that it replaces.
        everywhere: kinds of objects whose texts are compared; empty for values with places.
        keys: names of fields whose texts are compared; empty: all.
        optional: the field is absent from the base, and left out while the value is empty.
        extra: its keys come beside those of the base.
    """

    name: str
    text: str
    schema: dict[str, Any]
    places: tuple[Place, ...] = ()
    default: Any = None
    everywhere: bool = False
    keys: tuple[str, ...] = ()
    optional: bool = False
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """A component that a value turns on.

    Attributes:
        name: dotted name of the value; false by default.
        text: what it is.
        components: folders of `deploy/kubernetes/components`.
    """

    name: str
    text: str
    components: tuple[str, ...] = field(default=())


def _int(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


_TEXT = {"type": "string", "minLength": 1}
_NAME = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253}
_SIZE = {"type": "string", "pattern": "^[1-9][0-9]*(Mi|Gi|Ti)$"}
_SCHEDULE = {"type": "string", "pattern": r"^(\S+\s+){4}\S+$"}
_AMOUNT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["cpu", "memory"],
    "properties": {
        "cpu": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?m?$"},
        "memory": _SIZE,
    },
}
_RESOURCES = {
    "type": "object",
    "additionalProperties": False,
    "required": ["requests", "limits"],
    "properties": {"requests": _AMOUNT, "limits": _AMOUNT},
}
_NUMBER_TEXT = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?$"}


def _env(container: str, name: str) -> str:
    return f"{container}/env/{name}/value"


VALUES = (
    Value(
        "image", "Image of Quorum.", _TEXT, default="quorum:0.1.0", everywhere=True, keys=("image",)
    ),
    Value(
        "postgresImage",
        "Image with the tools of PostgreSQL for the backup, and the server of stores.enabled.",
        _TEXT,
        places=(("CronJob/quorum-backup", f"{_CRON}/containers/0/image"),),
        everywhere=True,
        keys=("image",),
    ),
    Value(
        "redisImage",
        "Image of the Redis of stores.enabled.",
        _TEXT,
        places=(("StatefulSet/quorum-redis", "spec/template/spec/containers/0/image"),),
    ),
    Value(
        "host",
        "Name under which clients reach Quorum.",
        _NAME,
        places=(
            ("Ingress/quorum", "spec/rules/0/host"),
            ("Ingress/quorum", "spec/tls/0/hosts/0"),
            ("Ingress/quorum-jobs", "spec/rules/0/host"),
            ("Ingress/quorum-jobs", "spec/tls/0/hosts/0"),
        ),
    ),
    Value(
        "ingress.className",
        "Class of the ingress controller.",
        _NAME,
        places=(
            ("Ingress/quorum", "spec/ingressClassName"),
            ("Ingress/quorum-jobs", "spec/ingressClassName"),
        ),
    ),
    Value(
        "ingress.tlsSecret",
        "Secret with the certificate: keys tls.crt and tls.key.",
        _NAME,
        places=(
            ("Ingress/quorum", "spec/tls/0/secretName"),
            ("Ingress/quorum-jobs", "spec/tls/0/secretName"),
        ),
    ),
    Value(
        "ingress.namespace",
        "Namespace of the ingress controller: only its pods reach the workers' port 8000.",
        _NAME,
        places=(
            (
                "NetworkPolicy/ingress-to-workers",
                "spec/ingress/0/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name",
            ),
        ),
    ),
    Value(
        "ingress.annotations",
        "Annotations of the Ingress.",
        {"type": "object", "additionalProperties": {"type": "string"}},
        places=(("Ingress/quorum", "metadata/annotations"),),
    ),
    Value(
        "ingress.jobsAnnotations",
        "Annotations of the Ingress of /v1/jobs, where files are uploaded.",
        {"type": "object", "additionalProperties": {"type": "string"}},
        places=(("Ingress/quorum-jobs", "metadata/annotations"),),
    ),
    Value(
        "artifacts",
        "Where models are: a prefix in S3. With artifactsVolume.enabled it is the volume.",
        {"type": "string", "pattern": "^(s3://|/).+"},
        places=((_CONFIG, "data/QUORUM_ARTIFACTS"),),
    ),
    Value(
        "jobs",
        "Where files of bulk scoring are, apart from the models: as `artifacts`.",
        {"type": "string", "pattern": "^(s3://|/).+"},
        places=((_CONFIG, "data/QUORUM_JOBS"),),
    ),
    Value(
        "settings",
        "Further settings of all pods, by their variables. None of them is a secret.",
        {
            "type": "object",
            "propertyNames": {
                "pattern": "^(QUORUM|AWS)_[A-Z0-9_]+$",
                "not": {"enum": list(_FIXED)},
            },
            "additionalProperties": {"type": "string"},
        },
        places=((_CONFIG, "data"),),
        default={},
        extra=True,
    ),
    Value(
        "settingsVersion",
        "Another text here lets KubeRay prepare new nodes, with the present settings.",
        _TEXT,
        places=(
            (_SERVICE, f"{_HEAD}/template/metadata/annotations/quorum~1settings"),
            (_SERVICE, f"{_WORKER}/template/metadata/annotations/quorum~1settings"),
            (_SERVICE, f"{_TRAINING}/template/metadata/annotations/quorum~1settings"),
        ),
    ),
    Value(
        "serviceAccount.annotations",
        "Annotations of Quorum's service account: a role of the cloud that may read artifacts.",
        {"type": "object", "additionalProperties": {"type": "string"}},
        places=(("ServiceAccount/quorum", "metadata/annotations"),),
        default={},
        optional=True,
    ),
    Value(
        "redis.address",
        "Redis that keeps Ray's own state. rediss:// for TLS.",
        {"type": "string", "pattern": "^rediss?://[^@/]+:[0-9]+$"},
        places=((_SERVICE, "spec/rayClusterConfig/gcsFaultToleranceOptions/redisAddress"),),
    ),
    Value(
        "workers.min",
        "Fewest workers.",
        _int(1, 1000),
        places=(
            (_SERVICE, f"{_WORKER}/minReplicas"),
            (_SERVICE, f"{_WORKER}/replicas"),
        ),
    ),
    Value(
        "workers.max",
        "Most workers.",
        _int(1, 1000),
        places=((_SERVICE, f"{_WORKER}/maxReplicas"),),
    ),
    Value(
        "workers.available",
        "Workers that answer at least while machines are emptied: fewer than workers.min.",
        _int(0, 999),
        places=(("PodDisruptionBudget/quorum-workers", "spec/minAvailable"),),
    ),
    Value(
        "workers.resources",
        "Processors and memory of a worker.",
        _RESOURCES,
        places=((_SERVICE, f"{_WORKER}/template/spec/containers/0/resources"),),
    ),
    Value(
        "workers.disk.storageClass",
        "Class of the workers' disks. Its reclaimPolicy must be Retain.",
        _NAME,
        places=(
            (
                _SERVICE,
                f"{_WORKER}/template/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/storageClassName",
            ),
            ("CronJob/quorum-sweep", _env(f"{_CRON}/containers/0", "WAL_STORAGE_CLASS")),
        ),
    ),
    Value(
        "workers.disk.size",
        "Size of a worker's disk.",
        _SIZE,
        places=(
            (
                _SERVICE,
                f"{_WORKER}/template/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/resources/requests/storage",
            ),
        ),
    ),
    Value(
        "head.resources",
        "Processors and memory of the head.",
        _RESOURCES,
        places=((_SERVICE, f"{_HEAD}/template/spec/containers/0/resources"),),
    ),
    Value(
        "training.max",
        "Most spot workers for training in this Ray cluster.",
        _int(0, 1000),
        places=((_SERVICE, f"{_TRAINING}/maxReplicas"),),
    ),
    Value(
        "training.resources",
        "Processors and memory of the Jobs that train.",
        _RESOURCES,
        places=(
            ("CronJob/quorum-train", f"{_CRON}/containers/0/resources"),
            ("CronJob/quorum-retrain", f"{_CRON}/containers/0/resources"),
        ),
    ),
    Value(
        "scaling.target",
        "Share of its requested processors that a worker may use before there are more.",
        {"type": "string", "pattern": "^(0\\.[0-9]*[1-9][0-9]*|1(\\.0+)?)$"},
        places=(
            (
                "Deployment/quorum-scaler",
                _env("spec/template/spec/containers/0", "SCALE_TARGET"),
            ),
        ),
    ),
    Value(
        "scaling.downAfterSeconds",
        "Time for which a worker must not have been needed before it goes.",
        _NUMBER_TEXT,
        places=(
            (
                "Deployment/quorum-scaler",
                _env("spec/template/spec/containers/0", "SCALE_DOWN_AFTER_S"),
            ),
        ),
    ),
    Value(
        "retrain.schedule",
        "When challengers are trained, UTC, as in cron.",
        _SCHEDULE,
        places=(("CronJob/quorum-retrain", "spec/schedule"),),
    ),
    Value(
        "retrain.suspend",
        "No training by schedule.",
        {"type": "boolean"},
        places=(("CronJob/quorum-retrain", "spec/suspend"),),
    ),
    Value(
        "backup.schedule",
        "When the database is dumped, UTC, as in cron.",
        _SCHEDULE,
        places=(("CronJob/quorum-backup", "spec/schedule"),),
    ),
    Value(
        "backup.suspend",
        "No dumps by schedule.",
        {"type": "boolean"},
        places=(("CronJob/quorum-backup", "spec/suspend"),),
    ),
    Value(
        "backup.keep",
        "Dumps that are kept.",
        {"type": "string", "pattern": "^[1-9][0-9]*$"},
        places=(("CronJob/quorum-backup", _env(f"{_CRON}/containers/0", "BACKUP_KEEP")),),
    ),
    Value(
        "backup.size",
        "Size of the volume for dumps.",
        _SIZE,
        places=(("PersistentVolumeClaim/quorum-backup", "spec/resources/requests/storage"),),
    ),
    Value(
        "mlflow.size",
        "Size of MLflow's volume.",
        _SIZE,
        places=(("PersistentVolumeClaim/quorum-mlflow", "spec/resources/requests/storage"),),
    ),
    Value(
        "mlflow.resources",
        "Processors and memory of MLflow.",
        _RESOURCES,
        places=(("Deployment/quorum-mlflow", "spec/template/spec/containers/0/resources"),),
    ),
    Value(
        "secrets.quorum",
        "Secret with database_url, redis_url, redis_username, redis_password, quorum_key_pepper and"
        " mlflow_database_url.",
        _NAME,
        default="quorum",
        everywhere=True,
        keys=("secretName", "secretKeyRef"),
    ),
    Value(
        "secrets.rayToken",
        "Secret with Ray's token: key auth_token.",
        _NAME,
        places=((_SERVICE, "spec/rayClusterConfig/authOptions/secretName"),),
    ),
)

SWITCHES = (
    Switch("stores.enabled", "PostgreSQL and Redis in this namespace, a pod of each.", ("stores",)),
    Switch(
        "artifactsVolume.enabled",
        "Artifacts and files of jobs on a volume that pods share (ReadWriteMany), in place of S3.",
        ("artifacts-volume",),
    ),
    Switch("monitoring.enabled", "A PodMonitor for the Prometheus operator.", ("monitoring",)),
)
