"""Units of work in processes that Ray starts on its node."""

from __future__ import annotations

from pathlib import Path

from cluster.node.node import Node
from tests.contracts.executors import check_executor, process_facts
from tests.contracts.waiting import until


async def test_it_keeps_the_promises_of_executors(node: Node, tmp_path: Path) -> None:
    executor = _executor(idle_s=600)
    try:
        await check_executor(executor, tmp_path)
    finally:
        await executor.close()


async def test_a_process_without_work_ends(node: Node) -> None:
    executor = _executor(idle_s=0.1)
    try:
        pid, *_ = await executor.run(process_facts)
        await until(lambda: not Path(f"/proc/{pid}").exists())
        again, *_ = await executor.run(process_facts)
        assert again != pid
    finally:
        await executor.close()


def _executor(idle_s: float):  # type: ignore[no-untyped-def]
    # Ray's flags must stand before it is imported, see `node`.
    import ray

    from deployments.jobs.ray_executor import RayExecutor

    return RayExecutor(2, ray.get_runtime_context().get_node_id(), idle_s)
