"""The board of pools on a fake status; no cluster runs here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from serve_app.gateway.pool import Pool
from serve_app.pools import PoolBoard


class Handle:
    """A handle whose `describe` returns a version, or fails."""

    def __init__(self, version: str | None) -> None:
        self.version = version

    def options(self, **_: Any) -> Handle:
        return self

    def remote(self) -> Any:
        async def answer() -> Any:
            if self.version is None:
                raise RuntimeError("gone")
            return SimpleNamespace(version=self.version)

        return answer()


def app(status: str, **states: int) -> Any:
    deployment = SimpleNamespace(replica_states=states)
    return SimpleNamespace(
        status=SimpleNamespace(value=status), deployments={"Variant": deployment}
    )


async def test_pools_have_the_names_that_plans_use() -> None:
    names = ("variant-xgboost.V2fd6da9b13f3", "variant-xgboost.Tacme", "variant-Other", "other")
    apps = {name: app("RUNNING", RUNNING=1) for name in names}
    handles = {"acme/xgboost": Handle("41be6f0d2c55"), "xgboost@2fd6da9b13f3": Handle(None)}
    board = PoolBoard(lambda: SimpleNamespace(applications=apps), handles.get)  # type: ignore[arg-type]
    assert await board.pools() == [
        Pool("acme/xgboost", "RUNNING", 1, 0, "41be6f0d2c55"),
        Pool("xgboost@2fd6da9b13f3", "RUNNING", 1, 0, None),
    ]


async def test_the_board_shows_each_pool_and_asks_once_a_second() -> None:
    asked = 0
    now = 100.0
    handles = {"logistic": Handle("41be6f0d2c55"), "xgboost": Handle(None)}
    apps = {
        "decisions": app("RUNNING", RUNNING=1),
        "variant-xgboost": app("RUNNING", RUNNING=2, STARTING=1),
        "variant-logistic": app("DEPLOYING", RUNNING=1),
        "variant-random-forest": app("DEPLOY_FAILED"),
    }

    def status() -> Any:
        nonlocal asked
        asked += 1
        return SimpleNamespace(applications=apps)

    board = PoolBoard(status, handles.get, lambda: now)
    expected = [
        Pool("logistic", "DEPLOYING", 1, 0, "41be6f0d2c55"),
        Pool("random-forest", "DEPLOY_FAILED", 0, 0, None),
        Pool("xgboost", "RUNNING", 2, 1, None),
    ]
    assert await board.pools() == expected
    assert await board.pools() == expected
    assert asked == 1
    now += 1.0
    handles["xgboost"].version = "9c1f02ab77de"
    assert (await board.pools())[2].version == "9c1f02ab77de"
    assert asked == 2
