"""A small Quorum on a test's node: tiny models, few replicas, and its command line."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

from cluster import api_keys
from cluster.node.node import Node
from deciding.plans.table import activate_plan, reactivate_plan
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.store.alias import CHAMPION, Alias
from models.store.location import open_store
from models.store.store import ArtifactStore
from settings.settings import Settings
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.front import PEPPER
from tests.contracts.root import ROOT

VARIANTS = ("xgboost", "logistic")
"""The variants of its Serve configuration."""


@dataclass
class Quorum:
    """A running Quorum with tiny models, and its command line."""

    node: Node
    database_url: str

    @classmethod
    def of(cls, node: Node, database_url: str, redis_url: str) -> Quorum:
        """Give a node its settings and configuration. Nothing is deployed yet."""
        (node.home / "settings.env").write_text(
            f"DATABASE_URL={database_url}\nREDIS_URL={redis_url}\nQUORUM_KEY_PEPPER={PEPPER}\n"
        )
        _write_config(node.home / "serve_config.yaml")
        return cls(node, database_url)

    @property
    def root(self) -> Path:
        """Folder of the models."""
        return self.node.home / "artifacts"

    @property
    def store(self) -> ArtifactStore:
        """The models."""
        return open_store(str(self.root), Settings.load())

    def key(self, tenant: str) -> str:
        """Create an API key."""

        async def make() -> str:
            connection = await asyncpg.connect(self.database_url)
            try:
                made = await api_keys.create(connection, PEPPER, tenant=tenant, name="test")
                return str(made["key"])
            finally:
                await connection.close()

        return asyncio.run(make())

    def champion(self, variant: str) -> str:
        """The version that the house's alias names."""
        return self.store.resolve(variant, "champion").version

    def publish(self, variant: str, slope: float, owner: str = HOUSE) -> str:
        """Publish a model and make it an owner's champion. Returns its version."""
        version, digest = tiny_artifact(
            self.root, variant, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope
        )
        self.store.set_alias(variant, CHAMPION, Alias(digest), owner)
        return version

    def publish_corrupt(self, variant: str, slope: float) -> str:
        """Publish a model whose file is not the one that its manifest names."""
        version, digest = tiny_artifact(
            self.root, variant, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope
        )
        with (self.root / variant / version / "model.onnx").open("r+b") as file:
            file.seek(200)
            file.write(b"corrupt")
        self.store.set_alias(variant, CHAMPION, Alias(digest))
        return version

    def promote(self, variant: str, version: str) -> None:
        """Make a published model champion again."""
        _, digest = self.store.manifest(variant, version)
        self.store.set_alias(variant, CHAMPION, Alias(digest))

    def run(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `quorum <arguments>` in the environment of the node."""
        environment = {
            **self.node.environment(),
            "QUORUM_HTTP_PORT": str(self.node.http_port),
            "QUORUM_DASHBOARD_PORT": str(self.node.dashboard_port),
            "QUORUM_RAY_PORT": str(self.node.ray_port),
            "QUORUM_FALLBACK_PORT": str(self.node.fallback_port),
            "QUORUM_NODE_PORT": str(self.node.node_port),
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("quorum"), *arguments],
            env=environment,
            cwd=self.node.home,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not ok or done.returncode == 0, f"quorum {arguments}: {done.stdout}\n{done.stderr}"
        return done

    def deploy(self, *arguments: str) -> dict[str, Any]:
        """Run `quorum deploy <arguments>`. Returns its report."""
        report: dict[str, Any] = json.loads(self.run("deploy", *arguments, "--json").stdout)
        return report

    def replicas(self) -> dict[str, set[str]]:
        """Ids of the running replicas, by application."""
        applications = self.node.dashboard.serve_details()["applications"]
        return {
            name: {
                replica["replica_id"]
                for deployment in application["deployments"].values()
                for replica in deployment["replicas"]
                if replica["state"] == "RUNNING"
            }
            for name, application in applications.items()
        }

    def activate(self, plan: Plan, owner: str = HOUSE) -> Plan:
        """Store a plan and activate it. Returns it with its version."""
        return asyncio.run(activate_plan(self.database_url, plan, owner))

    def go_back(self, plan: Plan) -> None:
        """Activate a stored plan."""
        asyncio.run(reactivate_plan(self.database_url, plan.name, plan.version))

    def metrics(self, name: str) -> float:
        """The sum of a metric's samples that begin with `name`."""
        text = httpx.get(f"{self.node.url}/metrics", timeout=10, trust_env=False).text
        lines = (line for line in text.splitlines() if line.startswith(name))
        return sum(float(line.rpartition(" ")[2]) for line in lines)


def _write_config(path: Path) -> None:
    """Write the project's configuration with two variants, fewer spare replicas and no growth: the
    machines of tests are small."""
    document = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    wanted = ("decisions", *(f"variant-{variant}" for variant in VARIANTS))
    document["applications"] = [a for a in document["applications"] if a["name"] in wanted]
    for deployment in document["applications"][0]["deployments"]:
        if deployment["name"] == "Ingress":
            del deployment["autoscaling_config"]
            deployment["num_replicas"] = 1
    for application in document["applications"][1:]:
        application["deployments"][0]["autoscaling_config"]["max_replicas"] = 1
    path.write_text(yaml.safe_dump(document))
