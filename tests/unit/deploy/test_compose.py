"""What holds for every service of deploy/compose.yaml, as the compose plugin reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from settings.settings import _SECRET_FILES, _variables
from tests.contracts.compose import FILE, rendered_with, services
from tests.contracts.compose import rendered as whole
from tests.contracts.root import ROOT

NAMES = sorted(yaml.safe_load(FILE.read_text())["services"])
ONCE = {"migrate"}
OURS = {"quorum", "quorum-worker", "migrate", "mlflow"}
NODES = {"quorum", "quorum-worker"}
LOOPBACK = {"mlflow", "prometheus", "grafana"}
SECRET = re.compile(r"password|secret|token|pepper|_url$|_uri$", re.IGNORECASE)


@pytest.fixture(params=NAMES)
def service(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return request.param, services()[request.param]


def seconds(text: str) -> float:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    return sum(float(n) * units[unit] for n, unit in re.findall(r"([\d.]+)([hms])", text))


def test_it_has_limits(service: tuple[str, dict[str, Any]]) -> None:
    limits = service[1]["deploy"]["resources"]["limits"]
    assert 0 < float(limits["cpus"]) <= 2
    assert int(limits["memory"]) > 0
    assert limits["pids"] > 0
    assert service[1]["ulimits"]["nofile"]["soft"] >= 65536
    assert service[1]["logging"]["options"]["max-size"]


def test_it_can_do_little_besides(service: tuple[str, dict[str, Any]]) -> None:
    definition = service[1]
    assert definition["read_only"] is True
    assert definition["cap_drop"] == ["ALL"]
    assert not definition.get("cap_add")
    assert definition["security_opt"] == ["no-new-privileges:true"]
    assert not definition.get("privileged")
    assert not definition.get("network_mode")
    assert any(mount.startswith("/tmp") for mount in definition.get("tmpfs", []))
    for mount in definition.get("volumes", []):
        if mount["type"] == "bind":
            assert mount["read_only"] is True
            assert "docker.sock" not in mount["source"]


def test_it_is_watched_and_started_again(service: tuple[str, dict[str, Any]]) -> None:
    name, definition = service
    assert seconds(definition["stop_grace_period"]) >= 15
    if name in ONCE:
        assert definition["restart"].startswith("on-failure:")
        return
    assert definition["restart"] == "unless-stopped"
    check = definition["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert seconds(check["timeout"]) <= seconds(check["interval"])
    assert check["start_period"]


def test_no_secret_is_in_its_environment_or_command(service: tuple[str, dict[str, Any]]) -> None:
    definition = service[1]
    for variable, value in (definition.get("environment") or {}).items():
        if SECRET.search(variable.removesuffix("_FILE").removesuffix("_PATH")):
            assert value.startswith(("/run/secrets/", "http://")), variable
            assert "@" not in value
    for word in [*(definition.get("command") or []), *(definition.get("entrypoint") or [])]:
        assert "://" not in word


def test_its_image_is_one_and_the_same_tomorrow(service: tuple[str, dict[str, Any]]) -> None:
    name, definition = service
    image = definition["image"]
    if name in OURS:
        version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
        assert version is not None
        assert image == f"quorum:{version[1]}"
    else:
        assert re.fullmatch(r"[\w./-]+:[\w.-]*\d\.\d+[\w.-]*@sha256:[0-9a-f]{64}", image)
        assert "latest" not in image


def test_only_the_edge_is_published_to_other_machines() -> None:
    published = {name: definition.get("ports", []) for name, definition in services().items()}
    assert {port["published"] for port in published.pop("edge")} == {"443", "80"}
    for name, ports in published.items():
        assert all(port["host_ip"] == "127.0.0.1" for port in ports), name
    assert {name for name, ports in published.items() if ports} == LOOPBACK


def test_stores_and_nodes_are_on_the_internal_network_alone() -> None:
    assert whole()["networks"]["internal"]["internal"] is True
    for name, definition in services().items():
        if name not in {"edge", *LOOPBACK}:
            assert list(definition["networks"]) == ["internal"], name


def test_what_is_needed_is_waited_for() -> None:
    conditions = {
        (name, needed): how["condition"]
        for name, definition in services().items()
        for needed, how in definition.get("depends_on", {}).items()
    }
    assert conditions["quorum", "migrate"] == "service_completed_successfully"
    for (_, needed), condition in conditions.items():
        assert (condition == "service_healthy") == (needed not in ONCE)


def test_nodes_have_what_ray_needs() -> None:
    for name in NODES:
        definition = services()[name]
        assert int(definition["shm_size"]) == 512 * 1024**2
        assert definition["init"] is True
        assert definition["networks"]["internal"]["aliases"] == ["nodes"]
        assert {mount["target"] for mount in definition["volumes"]} == {
            "/var/lib/quorum",
            "/var/lib/quorum-artifacts",
            "/var/lib/quorum-jobs",
        }
    head, worker = services()["quorum"]["volumes"], services()["quorum-worker"]["volumes"]
    assert [mount["source"] for mount in head] == ["quorum", "artifacts", "jobs"]
    # Each worker has a home of its own.
    assert [mount.get("source") for mount in worker] == [None, "artifacts", "jobs"]


def test_every_setting_is_one() -> None:
    known = _variables() | _SECRET_FILES
    for name, definition in services().items():
        for variable in definition.get("environment") or {}:
            if variable.startswith(("QUORUM_", "DATABASE_", "REDIS_")):
                assert variable in known, f"{name}: {variable}"


def test_every_file_that_is_mounted_is_there() -> None:
    for name, definition in services().items():
        for mount in definition.get("volumes", []):
            if mount["type"] == "bind":
                relative = mount["source"].removeprefix(str(ROOT) + "/")
                assert (ROOT / relative).exists(), f"{name}: {relative}"


def test_every_secret_is_used_and_ignored_by_git() -> None:
    used = {
        s["source"] for definition in services().values() for s in definition.get("secrets", [])
    }
    assert used == set(whole()["secrets"])
    assert "/deploy/compose/secrets/" in (ROOT / ".gitignore").read_text().splitlines()


def test_quorum_is_installed_with_what_mlflow_reads_postgresql_by() -> None:
    """SQLAlchemy loads it by the name in `mlflow_database_url`."""
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert '"psycopg[binary]' in pyproject
    assert "postgresql+psycopg://" in (FILE.parent / "compose" / "secrets.sh").read_text()


def test_what_can_be_set_is_on_the_page_and_works() -> None:
    text = FILE.read_text()
    variables = set(re.findall(r"\$\{(\w+)", text))
    page = (ROOT / "docs" / "deploy-docker.md").read_text()
    assert all(f"`{name}" in page for name in variables), variables
    changed = rendered_with(
        EDGE_HTTPS_PORT="8443", GRAFANA_PORT="13000", QUORUM_CPUS="1", QUORUM_IMAGE="here/quorum:2"
    )["services"]
    assert changed["edge"]["environment"] == {"EDGE_HTTPS_PORT": "8443"}
    assert {port["published"] for port in changed["edge"]["ports"]} == {"8443", "80"}
    assert [port["published"] for port in changed["grafana"]["ports"]] == ["13000"]
    assert changed["quorum"]["deploy"]["resources"]["limits"]["cpus"] == 1
    assert {changed[name]["image"] for name in OURS} == {"here/quorum:2"}
    elsewhere = rendered_with(QUORUM_SECRETS="/safe")["secrets"]
    assert {secret["file"] for secret in elsewhere.values()} == {f"/safe/{n}" for n in elsewhere}


def test_every_service_is_on_the_page() -> None:
    page = (ROOT / "docs" / "deploy-docker.md").read_text()
    assert all(f"`{name}`" in page for name in NAMES)


def test_the_image_has_the_folders_that_volumes_are_mounted_at() -> None:
    """A new volume takes its owner from the folder of the image; without one root owns it."""
    made = re.search(r"install --directory .*--owner quorum .*", (ROOT / "Dockerfile").read_text())
    assert made is not None
    targets = {
        mount["target"]
        for name in OURS
        for mount in services()[name].get("volumes", [])
        if mount["type"] == "volume"
    }
    assert targets <= set(made[0].split())
