"""One Quorum over several machines of a test, with tiny models, started by its command line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import yaml

from cluster import api_keys
from cluster.schema.migrate import migrate
from deciding.plans.table import activate_plan
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.front import PEPPER, payment
from tests.contracts.hub_stores import HubPostgres, HubRedis, hub_stores
from tests.contracts.machines import Hub, Machine, hub
from tests.contracts.root import ROOT
from tests.contracts.steady_load import Answers, Client, steady_load

VARIANTS = ("xgboost", "logistic")
THRESHOLDS = Thresholds(0.3, 0.4, 0.45)
PLAN = Plan(
    "champions",
    1,
    Ensemble((Member("xgboost", 0.6), Member("logistic", 0.4)), THRESHOLDS),
)
HTTP_PORT = 8000
OWN_PORT = 8001
DASHBOARD_PORT = 8265
TENANT = "default"

QUORUM = str(Path(sys.executable).with_name("quorum"))
_FOR_TESTS = {
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    # How long replicas live on once removed. The usual 30 s would be most of what a test takes.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",
    # History that comes late on a busy machine is not what these tests are about.
    "QUORUM_REBUILD_WAIT_MS": "300",
    # Three machines share the processors of one. While all start new replicas, a decision may take
    # longer than the usual two seconds.
    "QUORUM_REQUEST_TIMEOUT_MS": "10000",
    "QUORUM_MAX_PAST_DAYS": "3650",  # streams of tests have their own times
}


@dataclass
class SeveralMachines:
    """A Quorum over machines.

    Attributes:
        nodes: the machines that belong to it, the head first.
    """

    hub: Hub
    postgres: HubPostgres
    redis: HubRedis
    nodes: list[Machine] = field(default_factory=list)

    @classmethod
    def on(cls, network: Hub, **variables: str) -> SeveralMachines:
        """Start the stores of a network, publish models and a plan. No node is started yet.

        Args:
            network: it gets the environment of all nodes.
            variables: more of that environment.
        """
        made = cls(network, *hub_stores(network.folder))
        network.environment |= {
            **_FOR_TESTS,
            "DATABASE_URL": made.postgres.url,
            "REDIS_URL": made.redis.url,
            "QUORUM_ARTIFACTS": str(made.artifacts),
            "QUORUM_KEY_PEPPER": PEPPER,
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            **variables,
        }
        asyncio.run(migrate(made.postgres.url))
        for variant in VARIANTS:
            made.publish(variant, 0.004)
        made.activate(PLAN)
        _write_config(made.config)
        return made

    @property
    def head(self) -> Machine:
        """The head."""
        return self.nodes[0]

    @property
    def artifacts(self) -> Path:
        """The shared folder of models."""
        return self.hub.shared / "artifacts"

    @property
    def config(self) -> Path:
        """The Serve configuration."""
        return self.hub.shared / "serve_config.yaml"

    def publish(self, variant: str, slope: float) -> str:
        """Publish a model and make it the champion. Returns its version."""
        version, digest = tiny_artifact(
            self.artifacts, variant, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope
        )
        point_alias(self.artifacts, variant, version, digest)
        return version

    def activate(self, plan: Plan) -> Plan:
        """Store a plan and activate it. Returns it with its version."""
        return asyncio.run(activate_plan(self.postgres.url, plan))

    def up(self, machine: Machine) -> None:
        """Make a machine the head."""
        quorum(
            machine,
            *("up", "--host", machine.address, "--config", str(self.config)),
            *("--customers", "3", "--days", "2"),
        )
        self.nodes = [machine, *(node for node in self.nodes if node is not machine)]

    def join(self, machine: Machine) -> None:
        """Have a machine join."""
        quorum(machine, "join", self.head.address, "--host", machine.address)
        if machine not in self.nodes:
            self.nodes.append(machine)

    def leave(self, machine: Machine) -> None:
        """Have a machine leave."""
        quorum(machine, "leave")
        self.nodes.remove(machine)

    def grow(self, n: int) -> None:
        """Start or repair nodes until there are n of them, and all is as it must be."""
        for machine in [node for node in self.nodes if not node.on or not node.processes("raylet")]:
            if not machine.on:
                machine.boot()
            machine.mend()
            if machine is self.head:
                self.up(machine)
            else:
                self.join(machine)
        if not self.nodes:
            self.up(self.hub.machine("n1"))
        while len(self.nodes) < n:
            off = [m for m in self.hub.machines if m not in self.nodes and m.name.startswith("n")]
            machine = off[0] if off else self.hub.machine(f"n{len(self.nodes) + 1}")
            if not machine.on:
                machine.boot()
            self.join(machine)
        self.settle()

    def settle(self, timeout_s: float = 120.0) -> None:
        """Wait until every node has a full set of running replicas and is ready, and there is
        nothing else."""
        eventually(lambda: self.unsettled() == "", timeout_s, self.unsettled)

    def unsettled(self) -> str:
        """Return what is not as it must be; "" if all is."""
        try:
            details = self.serve_details()
        except (httpx.HTTPError, ValueError) as error:
            return f"the dashboard does not answer: {error!r}"
        for name, application in details["applications"].items():
            if application["status"] != "RUNNING":
                return f"{name} is {application['status']}"
        wanted = {node.address for node in self.nodes}
        for deployment, replicas in replicas_of(details).items():
            hosts = Counter(host for host, state in replicas if state == "RUNNING")
            others = [state for _, state in replicas if state != "RUNNING"]
            if set(hosts) != wanted or others:
                return f"{deployment}: {dict(hosts)} run, {others}"
        for node in self.nodes:
            if not self.ready(node):
                return f"{node.name} is not ready"
        return ""

    def serve_details(self) -> dict[str, Any]:
        """Return Serve's state, from the head's dashboard."""
        answer = httpx.get(
            f"http://{self.head.address}:{DASHBOARD_PORT}/api/serve/applications/",
            headers={"Authorization": f"Bearer {self.hub.environment['RAY_AUTH_TOKEN']}"},
            timeout=10,
            trust_env=False,
        )
        answer.raise_for_status()
        details: dict[str, Any] = answer.json()
        return details

    def ready(self, machine: Machine, port: int = OWN_PORT) -> bool:
        """Return whether a machine says that it is ready."""
        url = f"http://{machine.address}:{port}/v2/health/ready"
        try:
            return httpx.get(url, timeout=3, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def metrics(self, machine: Machine, name: str) -> float:
        """The sum of a machine's own samples that begin with `name`."""
        text = httpx.get(
            f"http://{machine.address}:{OWN_PORT}/metrics", timeout=10, trust_env=False
        ).text
        lines = (line for line in text.splitlines() if line.startswith(name))
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def key(self, tenant: str = TENANT, tier: str = "demo") -> str:
        """Create an API key."""

        async def make() -> str:
            connection = await asyncpg.connect(self.postgres.url)
            try:
                made = await api_keys.create(
                    connection, PEPPER, tenant=tenant, name="test", tier=tier
                )
                return str(made["key"])
            finally:
                await connection.close()

        return asyncio.run(make())

    def client(self, machine: Machine, key: str, timeout_s: float = 30.0) -> httpx.Client:
        """A client of a machine's front."""
        return httpx.Client(
            base_url=url_of(machine),
            headers={"x-api-key": key},
            timeout=timeout_s,
            trust_env=False,
        )

    def decide(self, machine: Machine, key: str, **fields: Any) -> dict[str, Any]:
        """Return a machine's answer to a payment.

        Raises:
            httpx.HTTPError: it does not decide.
        """
        with self.client(machine, key, 5.0) as http:
            answer = http.post("/v1/decisions", json=fresh_payment(**fields))
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    @contextmanager
    def load(
        self, nodes: Sequence[Machine], key: str, rate: float = 20.0
    ) -> Iterator[list[Answers]]:
        """Send payments to the fronts of some nodes, `rate` a second altogether.

        Yields the answers of each. At the end, every answered decision must be on record once.
        """
        prefix, answers = f"load-{secrets.token_hex(4)}", []
        with contextlib.ExitStack() as stack:
            for node in nodes:
                load = steady_load(
                    url_of(node), [Client(key)], rate / len(nodes), f"{prefix}-{node.name}"
                )
                answers += stack.enter_context(load)
            yield answers
        self.assert_recorded_once(answers)

    def assert_recorded_once(self, answers: Sequence[Answers], timeout_s: float = 60.0) -> None:
        """Check that every answered decision is in PostgreSQL, once, and no transaction twice."""
        ids = [answer["decision_id"] for seen in answers for answer in seen.decided]
        transactions = [answer["transaction_id"] for seen in answers for answer in seen.decided]
        eventually(lambda: not self._missing(ids), timeout_s, lambda: f"{self._missing(ids)} lost")
        doubled = self.fetch(
            "SELECT transaction_id, count(*) FROM decisions"
            " WHERE transaction_id = ANY($1) GROUP BY 1 HAVING count(*) > 1",
            transactions,
        )
        assert doubled == []

    def _missing(self, ids: list[str]) -> int:
        (row,) = self.fetch(
            "SELECT count(DISTINCT decision_id) FROM decisions"
            " WHERE decision_id = ANY($1::text[]::uuid[])",
            ids,
        )
        return len(set(ids)) - int(row[0])

    def fetch(self, query: str, *arguments: Any) -> list[Any]:
        """Return the rows of a query."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.postgres.url)
            try:
                return list(await connection.fetch(query, *arguments))
            finally:
                await connection.close()

        return asyncio.run(run())


@contextmanager
def several_machines(n: int, **variables: str) -> Iterator[SeveralMachines]:
    """A Quorum over n machines; nothing is left of it afterwards.

    Args:
        n: number of nodes, the head included.
        variables: of the environment of all nodes.
    """
    with hub() as network:
        made = SeveralMachines.on(network, **variables)
        try:
            made.grow(n)
            yield made
        finally:
            made.postgres.stop()
            made.redis.stop()


def quorum(
    machine: Machine, *arguments: str, ok: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `quorum <arguments>` on a machine. The test fails if the command fails, unless `ok` is
    False."""
    return machine.run([QUORUM, *arguments], environment=environment, check=ok)


def status(machine: Machine) -> dict[str, Any]:
    """Return what `quorum status --json` prints on a machine."""
    document: dict[str, Any] = json.loads(quorum(machine, "status", "--json").stdout)
    return document


def url_of(machine: Machine) -> str:
    """Return the address of a machine's front."""
    return f"http://{machine.address}:{HTTP_PORT}"


def fresh_payment(**fields: Any) -> dict[str, Any]:
    """Return a payment of now with an id of its own."""
    from datetime import UTC, datetime

    own = {
        "transaction_id": f"t-{secrets.token_hex(8)}",
        "timestamp": datetime.now(UTC).isoformat(),
    }
    return payment(**own | fields)


def replicas_of(details: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Return deployment -> address and state of each replica."""
    return {
        f"{name}:{deployment}": [(r.get("node_ip"), r["state"]) for r in state["replicas"]]
        for name, application in details["applications"].items()
        for deployment, state in application["deployments"].items()
    }


def eventually(
    condition: Callable[[], bool], timeout_s: float = 60.0, state: Callable[[], str] = lambda: ""
) -> float:
    """Wait until a condition holds. Returns the seconds that it took."""
    began_s = time.monotonic()
    while not condition():
        waited_s = time.monotonic() - began_s
        assert waited_s < timeout_s, f"not within {timeout_s} s. {state()}"
        time.sleep(0.1)
    return time.monotonic() - began_s


def _write_config(path: Path) -> None:
    """Write the project's configuration with two variants that do not grow beyond one a node."""
    document = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    wanted = ("decisions", *(f"variant-{variant}" for variant in VARIANTS))
    document["applications"] = [a for a in document["applications"] if a["name"] in wanted]
    for application in document["applications"][1:]:
        policy = application["deployments"][0]["autoscaling_config"]["policy"]
        policy["policy_kwargs"]["most_per_node"] = 1
    path.write_text(yaml.safe_dump(document))
