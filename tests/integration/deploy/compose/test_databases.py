"""PostgreSQL of deploy/compose.yaml, and what uses it: migrate and MLflow, as plain processes."""

from __future__ import annotations

import asyncio
import os
import pwd
import subprocess
import sys
from pathlib import Path

import asyncpg
import httpx
import pytest

from cluster.embedded.account import Account
from cluster.embedded.postgres import _programs
from tests.contracts.compose import FOLDER, command, services
from tests.contracts.ports import free_ports
from tests.contracts.root import ROOT

from .conftest import Start

PROGRAMS = _programs()


@pytest.fixture(scope="module")
def account() -> Account | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


@pytest.fixture(scope="module")
def postgres(folder: Path, secrets: Path, start: Start, account: Account | None) -> int:
    """The port of a server that was made as the image makes it, databases.sh included."""
    (port,) = free_ports(1)
    definition = services()["postgres"]
    data, password = folder / "postgres", folder / "password"
    data.mkdir()
    password.write_bytes((secrets / "postgres_password").read_bytes())
    if account is not None:
        os.chmod(folder, 0o711)  # the other account passes through
        for path in (data, password):
            os.chown(path, account.uid, account.gid)
    initdb = [PROGRAMS / "initdb", "-D", data, "--username=postgres", f"--pwfile={password}"]
    done = subprocess.run(
        [*initdb, *definition["environment"]["POSTGRES_INITDB_ARGS"].split()],
        capture_output=True,
        text=True,
        cwd=folder,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
    assert done.returncode == 0, done.stderr
    # The image's, for other containers.
    with (data / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    words = command("postgres", {"postgres": str(PROGRAMS / "postgres")})
    start(
        [*words, "-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1"],
        lambda: _healthy(port),
        account=account,
    )
    done = subprocess.run(
        [FOLDER / "databases.sh"],
        env={
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "SECRETS": str(secrets),
            "POSTGRES_USER": "postgres",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGPASSWORD": (secrets / "postgres_password").read_text().strip(),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return port


def _healthy(port: int) -> bool:
    """What the health check of the service says."""
    (_, program, *words) = services()["postgres"]["healthcheck"]["test"]
    assert program == "pg_isready"
    return subprocess.run([PROGRAMS / program, *words, "-p", str(port)]).returncode == 0


@pytest.fixture(scope="module")
def local(postgres: int, secrets: Path, folder: Path) -> Path:
    """The secrets, with addresses that lead to the server here."""
    here = folder / "local"
    here.mkdir()
    for path in secrets.iterdir():
        text = path.read_text().replace("@postgres:5432", f"@127.0.0.1:{postgres}")
        (here / path.name).write_text(text)
    return here


def url(local: Path, name: str) -> str:
    return (local / name).read_text().strip().replace("+psycopg", "")


async def test_each_role_owns_its_database_and_reaches_no_other(local: Path) -> None:
    for name, mine, other in (
        ("database_url", "quorum", "mlflow"),
        ("mlflow_database_url", "mlflow", "quorum"),
    ):
        connection = await asyncpg.connect(url(local, name))
        try:
            assert await connection.fetchval("SELECT current_user") == mine
            assert not await connection.fetchval(
                "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = $1",
                mine,
            )
            settings = await connection.fetchval("SELECT current_setting('log_error_verbosity')")
            assert settings == "terse"
        finally:
            await connection.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"{url(local, name).rpartition('/')[0]}/{other}")


async def test_migrate_makes_the_schema(local: Path, tmp_path: Path) -> None:
    definition = services()["migrate"]
    environment = {
        name: value.replace("/run/secrets", str(local))
        for name, value in definition["environment"].items()
    }
    words = [sys.executable, "-m", "cluster.cli", *definition["command"]]
    for _ in range(2):  # as after a restart
        done = await asyncio.to_thread(
            subprocess.run,
            words,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "QUORUM_HOME": str(tmp_path), **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    connection = await asyncpg.connect(url(local, "database_url"))
    assert await connection.fetchval("SELECT to_regclass('decisions') IS NOT NULL")
    await connection.close()


@pytest.fixture(scope="module")
def mlflow(local: Path, folder: Path, start: Start) -> str:
    (port,) = free_ports(1)
    words = command(
        "mlflow",
        {
            "/run/secrets": str(local),
            "--host=0.0.0.0": "--host=127.0.0.1",
            "--port=5000": f"--port={port}",
            "/var/lib/quorum": str(folder / "mlflow"),
        },
    )
    (_, program, flag, check) = services()["mlflow"]["healthcheck"]["test"]
    assert program == "python"
    start(
        words,
        lambda: (
            subprocess.run(
                [sys.executable, flag, check.replace(":5000", f":{port}")], capture_output=True
            ).returncode
            == 0
        ),
        environment={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            **services()["mlflow"]["environment"],
        },
    )
    return f"http://127.0.0.1:{port}"


def test_mlflow_keeps_runs_in_postgresql_and_files_beside_it(
    mlflow: str, tmp_path: Path, folder: Path
) -> None:
    """As training does, in a process of its own: MLflow keeps global state."""
    done = subprocess.run(
        [sys.executable, "-c", _TRAINING],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "MLFLOW_TRACKING_URI": mlflow,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "mlflow-artifacts: 1"
    assert [path.read_text() for path in (folder / "mlflow").rglob("note.txt")] == ["of a run"]


_TRAINING = """
import mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("auc", 0.9)
    mlflow.log_text("of a run", "note.txt")
client = mlflow.MlflowClient()
client.create_registered_model("quorum-xgboost")
version = client.create_model_version("quorum-xgboost", run.info.artifact_uri, run.info.run_id)
client.set_registered_model_alias("quorum-xgboost", "champion", version.version)
found = client.get_model_version_by_alias("quorum-xgboost", "champion")
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/note.txt") == "of a run"
print(run.info.artifact_uri.partition("/")[0], found.version)
"""


def test_training_prints_nothing_of_its_own_about_runs(mlflow: str, tmp_path: Path) -> None:
    """`quorum train --json` prints JSON alone."""
    program = f"""
from pathlib import Path
from training.registry.mlflow_registry import Registry
with Registry({mlflow!r}, Path("files")).run("train", {{}}):
    pass
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_mlflow_answers_the_names_that_it_has(mlflow: str) -> None:
    path = f"{mlflow}/api/2.0/mlflow/experiments/search?max_results=1"
    for host, status in (
        ("mlflow:5000", 200),
        ("localhost:15000", 200),
        ("127.0.0.1:5000", 200),
        ("evil.example", 403),
    ):
        assert httpx.get(path, headers={"host": host}).status_code == status, host
