"""Simulations in a process of their own, on a real PostgreSQL and real artifacts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from decision_log.shipping.postgres_sink import PostgresSink
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.errors import Overloaded, StoreUnavailable, Unavailable
from fraud.plan import Plan
from serve_app.simulation_process import SimulationProcess
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.decisions import gathered
from tests.contracts.plans import leaf
from tests.contracts.recorded import made

PLAN = Plan("default", 3, leaf("xgboost", "logistic"))


@pytest.fixture
def process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Iterator[SimulationProcess]:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    yield SimulationProcess(tmp_path)
    deadline = time.monotonic() + 10
    while children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children() == []


@pytest.fixture
async def _on_record(database_url: str) -> AsyncIterator[None]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE decisions")
    sink = PostgresSink(database_url)
    await sink.insert(gathered(made(PLAN, 60)))
    await sink.close()
    yield
    await connection.close()


def children() -> list[psutil.Process]:
    """Running simulations of this process."""
    found = []
    for child in psutil.Process(os.getpid()).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if "deciding.simulation" in child.cmdline():
                found.append(child)
    return found


async def running() -> psutil.Process:
    """Wait until a simulation runs."""
    async with asyncio.timeout(20):
        while not (found := children()):  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(0.01)
    return found[0]


@pytest.mark.usefixtures("_on_record")
async def test_the_result_is_that_of_the_records(process: SimulationProcess) -> None:
    found = await process("default", PLAN, 50)
    assert (found["decisions"], found["flipped"], found["is_complete"]) == (50, 0, True)
    assert found["plan"] == {"name": "default", "version": 3}


@pytest.mark.usefixtures("_on_record")
async def test_models_are_asked_in_the_process(process: SimulationProcess) -> None:
    root = process.folder / "artifacts"
    version, digest = tiny_artifact(
        root, "random-forest", n_features=N_FEATURES, schema_id=SCHEMA_ID
    )
    point_alias(root, "random-forest", version, digest)
    found = await process("default", Plan("new", 1, leaf("random-forest")), 50)
    assert found["votes"][0]["asked"] == {version: 50}


@pytest.mark.usefixtures("_on_record")
async def test_one_runs_at_a_time_at_the_lowest_priority(process: SimulationProcess) -> None:
    first = asyncio.create_task(process("default", PLAN, 50))
    child = await running()
    another = SimulationProcess(process.folder)
    with pytest.raises(Overloaded, match="another simulation runs"):
        await another("default", PLAN, 50)
    with contextlib.suppress(psutil.NoSuchProcess):
        async with asyncio.timeout(20):
            while child.nice() != 19:  # noqa: ASYNC110 - a process sets no event
                await asyncio.sleep(0.01)
    assert (await first)["decisions"] == 50
    assert (await another("default", PLAN, 50))["decisions"] == 50


@pytest.mark.usefixtures("_on_record")
async def test_a_caller_that_goes_away_ends_it(process: SimulationProcess) -> None:
    task = asyncio.create_task(process("default", PLAN, 50))
    await running()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20):
        while children():  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(0.01)
        while True:  # the lock goes with the process
            with contextlib.suppress(Overloaded):
                assert (await process("default", PLAN, 50))["decisions"] == 50
                return
            await asyncio.sleep(0.05)


def test_it_ends_with_whoever_started_it(process: SimulationProcess, database_url: str) -> None:
    # It waits for the table, and its input ends.
    with _locked_table(database_url):
        child = subprocess.Popen(
            [sys.executable, "-m", "deciding.simulation"], stdin=subprocess.PIPE, bufsize=0
        )
        assert child.stdin is not None
        task = {"tenant": "default", "plan": PLAN.to_document(), "last": 9, "limit_s": 60}
        child.stdin.write(f"{json.dumps(task)}\n".encode())
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(4)
        child.stdin.close()
        assert child.wait(30) == 1


@contextlib.contextmanager
def _locked_table(url: str) -> Iterator[None]:
    """Let nobody read the decisions."""

    async def lock() -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await connection.execute("BEGIN; LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE")
        return connection

    with asyncio.Runner() as runner:
        connection = runner.run(lock())
        yield
        runner.run(connection.close())


async def test_a_database_that_does_not_answer_is_told(
    process: SimulationProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await process("default", PLAN, 50)


async def test_one_that_takes_too_long_is_killed(
    process: SimulationProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve_app.simulation_process._PATIENCE_S", 0.05)
    with pytest.raises(Unavailable, match="took too long"):
        await SimulationProcess(process.folder, limit_s=0.0)("default", PLAN, 50)
