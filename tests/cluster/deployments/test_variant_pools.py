"""The pools are independent: each grows, rolls out and refuses alone, and no request fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from cluster.node.deploy import wait_running
from cluster.node.node import Node
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.errors import ArtifactRefused, SchemaMismatch
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact

T = TypeVar("T")
VARIANTS = ("xgboost", "logistic", "random-forest")
AUTOSCALING = {
    "min_replicas": 1,
    "max_replicas": 2,
    "metrics_interval_s": 1,
    "look_back_period_s": 3,
    "upscale_delay_s": 1,
    "downscale_delay_s": 3,
    "policy": {
        "policy_function": "deployments.autoscaling:LoadPolicy",
        "policy_kwargs": {"target_rows": 64, "target_processors": 0.9},
    },
}


def config(node: Node, **artifacts: str) -> dict[str, Any]:
    """The pools of serve_config.yaml, with faster scaling."""
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "127.0.0.1", "port": node.http_port},
        "logging_config": {"log_level": "WARNING", "enable_access_log": False},
        "applications": [
            {
                "name": f"variant-{variant}",
                "import_path": "deployments.variant:build",
                "route_prefix": None,
                "args": {
                    "variant": variant,
                    "artifact": artifacts.get(variant.replace("-", "_"), "champion"),
                },
                "deployments": [
                    {
                        "name": "Variant",
                        "max_surge_percent": 100,
                        "autoscaling_config": AUTOSCALING,
                    }
                ],
            }
            for variant in VARIANTS
        ],
    }


def publish(root: Path, variant: str, slope: float, *, alias: bool = True, **options: Any) -> str:
    version, digest = tiny_artifact(
        root, variant, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope, **options
    )
    if alias:
        point_alias(root, variant, version, digest)
    return version


@pytest.fixture(scope="module")
def artifacts(node: Node) -> dict[str, str]:
    """Version of each variant's champion. XGBoost's is slow, so that it can be kept busy."""
    root = node.home / "artifacts"
    return {v: publish(root, v, 1.0, work=60 if v == "xgboost" else 0) for v in VARIANTS}


@pytest.fixture
def pools(node: Node, artifacts: dict[str, str]) -> Node:
    deploy(node, config(node))
    return node


def deploy(node: Node, wanted: dict[str, Any]) -> None:
    names, began = {a["name"] for a in wanted["applications"]}, time.time()
    node.dashboard.deploy(wanted)

    def taken_up() -> bool:  # the old state is RUNNING, too
        known = node.dashboard.serve_details()["applications"]
        return all(name in known and known[name]["last_deployed_time_s"] >= began for name in names)

    eventually(taken_up)
    wait_running(node.dashboard, names, timeout_s=120)


def replicas(node: Node, variant: str) -> set[str]:
    """Ids of a pool's running replicas."""
    applications = node.dashboard.serve_details()["applications"]
    found = applications[f"variant-{variant}"]["deployments"]["Variant"]["replicas"]
    return {r["replica_id"] for r in found if r["state"] == "RUNNING"}


def eventually(check: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.25)


class Caller:
    """Calls one pool, as the combiner does. Made and used on the `Loop`."""

    def __init__(self, score: Any, explain: Any, describe: Any, switchboard: Any) -> None:
        self._score, self._explain, self.describe = score, explain, describe
        self.switchboard = switchboard
        self.versions: list[str] = []
        self.errors: list[Exception] = []

    @classmethod
    async def of(cls, variant: str) -> Caller:
        from ray import serve

        from deployments.links.switchboard import Switchboard
        from deployments.remote_method import RemoteMethod
        from deployments.variant_pools import VariantPools, app_name

        switchboard = Switchboard(Settings.load().links)
        await switchboard.start()
        pools = VariantPools(lambda: (variant,), switchboard)
        await pools.refresh()
        assert switchboard.best(f"{app_name(variant)}~Variant") is not None, "no link"
        handle = serve.get_app_handle(app_name(variant))
        describe = RemoteMethod(handle, "describe")
        return cls(pools.scorer(variant), pools.explainer(variant), describe, switchboard)

    async def score(self, values: Any, schema_id: str) -> Any:
        """Call a pool on the loop."""
        return await self._score(values, schema_id)

    async def explain(self, values: Any, schema_id: str) -> Any:
        return await self._explain(values, schema_id)

    async def call(self, rows: int) -> None:
        values = np.full((rows, N_FEATURES), 0.5, dtype=np.float32)
        try:
            answer = await self.score(values, SCHEMA_ID)
            assert answer.scores.shape == (rows,)
            self.versions.append(answer.version)
        except Exception as error:  # any failure at all is what the tests are about
            self.errors.append(error)

    async def until(self, stop: threading.Event, rows: int, lanes: int) -> None:
        """`lanes` callers that call again as soon as they get an answer."""

        async def lane() -> None:
            while not stop.is_set():
                await self.call(rows)

        await asyncio.gather(*(lane() for _ in range(lanes)))


class Loop:
    """An event loop in a thread: handles live on one loop, as they do in a replica."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def caller(self, variant: str) -> Caller:
        return self.start(Caller.of(variant)).result(60)

    def served(self, variant: str) -> Any:
        return self.start(self.caller(variant).describe()).result(60)

    @contextmanager
    def load(self, variant: str, rows: int, lanes: int) -> Iterator[Caller]:
        stop, caller = threading.Event(), self.caller(variant)
        running = self.start(caller.until(stop, rows, lanes))
        try:
            yield caller
        finally:
            stop.set()
            running.result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@pytest.fixture(scope="module")
def loop(node: Node) -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_a_pool_under_load_grows_and_shrinks_again_alone(pools: Node, loop: Loop) -> None:
    others = {v: replicas(pools, v) for v in VARIANTS[1:]}
    (first,) = replicas(pools, "xgboost")
    with loop.load("xgboost", rows=256, lanes=4) as caller:
        eventually(lambda: len(replicas(pools, "xgboost")) == 2)
        assert first in replicas(pools, "xgboost")
    eventually(lambda: len(replicas(pools, "xgboost")) == 1)
    assert caller.versions
    assert caller.errors == []
    assert {v: replicas(pools, v) for v in VARIANTS[1:]} == others


def test_a_new_version_rolls_out_alone_and_no_request_fails(
    pools: Node, loop: Loop, artifacts: dict[str, str]
) -> None:
    newer = publish(pools.home / "artifacts", "logistic", 2.0, alias=False)
    before = {v: replicas(pools, v) for v in VARIANTS}
    with loop.load("logistic", rows=8, lanes=4) as caller:
        eventually(lambda: len(caller.versions) > 100)
        deploy(pools, config(pools, logistic=newer))
        eventually(lambda: replicas(pools, "logistic").isdisjoint(before["logistic"]))
        eventually(lambda: caller.versions[-1] == newer)
    assert caller.errors == []
    assert set(caller.versions) == {artifacts["logistic"], newer}
    for other in ("xgboost", "random-forest"):
        assert replicas(pools, other) == before[other]


def test_an_alias_that_moves_is_followed_without_a_new_replica(pools: Node, loop: Loop) -> None:
    before = replicas(pools, "random-forest")
    with loop.load("random-forest", rows=8, lanes=2) as caller:
        newer = publish(pools.home / "artifacts", "random-forest", 3.0)
        eventually(lambda: bool(caller.versions) and caller.versions[-1] == newer)
    assert caller.errors == []
    assert replicas(pools, "random-forest") == before


def test_a_bad_artifact_is_refused_and_the_old_one_serves_on(pools: Node, loop: Loop) -> None:
    before = loop.served("random-forest")
    publish(pools.home / "artifacts", "random-forest", 4.0, golden_shift=0.1)
    eventually(lambda: loop.served("random-forest").refused is not None)
    after = loop.served("random-forest")
    assert after.version == before.version
    assert "golden rows" in after.refused
    repaired = publish(pools.home / "artifacts", "random-forest", 5.0)
    eventually(lambda: loop.served("random-forest").version == repaired)


def test_errors_of_the_house_arrive_as_themselves(pools: Node, loop: Loop) -> None:
    caller = loop.caller("logistic")
    values = np.zeros((1, N_FEATURES), dtype=np.float32)
    with pytest.raises(SchemaMismatch):
        loop.start(caller.score(values, "000000000000")).result(60)
    with pytest.raises(ArtifactRefused):
        loop.start(caller.explain(values, SCHEMA_ID)).result(60)
