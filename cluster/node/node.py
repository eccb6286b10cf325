"""The Ray node of this machine: start it, find its processes, stop them and no others.

Every process of the node, HAProxy included, has `QUORUM_NODE` in its environment, by which `stop`
finds them. `ray stop` would end every Ray cluster of the machine, but not HAProxy, which would keep
the ports.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from cluster.edge.install import install
from cluster.edge.options import EdgeOptions
from cluster.embedded import daemon
from cluster.errors import CommandFailed
from cluster.home.private_folder import UMASK, make_private, remove_private
from cluster.node import private_ray, ray_token
from cluster.node.addresses import in_url, reachable, with_port
from cluster.node.dashboard import Dashboard
from cluster.node.kept_logs import keep_logs
from cluster.node.labels import PORT_LABEL, VERSION_LABEL, labels_text
from cluster.node.ray_environment import SEVERAL_NODES, START_OPTIONS, TUNING, node_variables
from cluster.node.ray_state import RedisState
from fraud.record import CODE_VERSION
from settings.settings import leaving_file, spare_waits

if TYPE_CHECKING:
    from settings.settings import Settings

LOOPBACK = "127.0.0.1"
MARK = "QUORUM_NODE"
OBJECT_STORE_BYTES = 256 * 1024**2
_START_S = 120


@dataclass(frozen=True, slots=True)
class Node:
    """The node that belongs to one `$QUORUM_HOME`.

    Attributes:
        host: its address for other nodes; a loopback address if there can be none.
        head: `host:port` of the head's Ray; None if this node is the head.
        http_host: the address that its HTTP front listens at.
        redis_state: where a head of several nodes keeps Ray's state; None: in `state`.
    """

    home: Path
    http_port: int
    dashboard_port: int
    ray_port: int
    fallback_port: int
    node_port: int
    host: str = LOOPBACK
    head: str | None = None
    http_host: str = LOOPBACK
    redis_state: RedisState | None = None

    @classmethod
    def of(cls, settings: Settings) -> Node:
        """Return the node that the settings describe, whether it runs or not."""
        return cls(
            settings.home.resolve(),
            settings.http_port,
            settings.dashboard_port,
            settings.ray_port,
            settings.fallback_port,
            settings.node_port,
            settings.host,
            settings.head and with_port(settings.head, settings.ray_port),
            settings.front_host,
            _redis_state(settings),
        )

    @property
    def several(self) -> bool:
        """Whether there can be other nodes."""
        return not ip_address(self.host).is_loopback

    @property
    def url(self) -> str:
        """Quorum's address: the one that other nodes reach too, if there can be any."""
        return f"http://{in_url(self._front)}:{self.http_port}"

    @property
    def own_url(self) -> str:
        """Address of this node's own metrics and readiness."""
        return f"http://{in_url(self._front)}:{self.node_port}"

    @property
    def _front(self) -> str:
        return self.host if self.several else reachable(self.http_host)

    @property
    def address(self) -> str:
        """Value of RAY_ADDRESS: `ray.init(address=...)`."""
        return self.head or f"{in_url(self.host)}:{self.ray_port}"

    @property
    def dashboard(self) -> Dashboard:
        """The dashboard's REST API, Serve's included. It is the head's."""
        host = self.head.rpartition(":")[0] if self.head else in_url(self.host)
        return Dashboard(f"http://{host}:{self.dashboard_port}")

    @property
    def ports(self) -> dict[int, str]:
        """Ports that must be free before the node starts, and their purposes."""
        ports = {
            self.http_port: "HTTP front",
            self.node_port: "metrics and readiness of this node",
            self.fallback_port: "HTTP front without replicas",
        }
        if self.head is None:
            ports |= {self.dashboard_port: "Ray dashboard", self.ray_port: "Ray"}
        return ports

    @property
    def mark(self) -> str:
        """Value of QUORUM_NODE for our processes: 8 hex digits of the home's hash."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:8]

    @property
    def folder(self) -> Path:
        """Folder of sockets and of Ray's session. Only this user can enter it: Ray opens its own
        folder to everybody. Not in TMPDIR, because the path must be short: HAProxy limits paths of
        sockets to 97 bytes, of which Ray's node id takes 57."""
        return Path("/tmp") / f"quorum-{self.mark}"  # noqa: S108 — a name of our own

    @property
    def front_folder(self) -> Path:
        """Folder of HAProxy's files, one folder a node in it. Serve hands the head's path to every
        node, so all nodes of several have the same."""
        return Path("/tmp/quorum-edge") if self.several else self.folder  # noqa: S108 — as above

    @property
    def edge(self) -> Path:
        """Folder of the program that Serve starts as HAProxy."""
        return self.home / "run" / "edge"

    def environment(self) -> dict[str, str]:
        """Return the environment of the node and all its processes. It adds no secrets to
        ours: replicas read settings.env themselves."""
        return {
            **private_ray.VARIABLES,
            **TUNING,
            **os.environ,
            **self._among_several(),
            MARK: self.mark,
            "QUORUM_HOME": str(self.home),
            "QUORUM_HOST": self.host,
            # Paths of sockets must be short, and these go away with the node.
            "QUORUM_LINKS": str(self.folder / "links"),
            "PROMETHEUS_MULTIPROC_DIR": str(self.home / "run" / "metrics"),
            **node_variables(
                self.front_folder, self.edge, address=self.address, fallback_port=self.fallback_port
            ),
        }

    def _among_several(self) -> dict[str, str]:
        """Return the variables of a node that can have others beside it."""
        if not self.several:
            return {}
        if self.head is not None:
            return {**SEVERAL_NODES, "QUORUM_HEAD": self.head}
        if self.redis_state is not None:
            return {**SEVERAL_NODES, **self.redis_state.variables()}
        on_disk = {"RAY_gcs_storage": "rocksdb", "RAY_gcs_storage_path": str(self.state)}
        return {**SEVERAL_NODES, **on_disk}

    @property
    def state(self) -> Path:
        """Folder in which a head of several nodes keeps Ray's state, which outlives it."""
        return self.home / "gcs"

    @property
    def running(self) -> bool:
        """Whether our node runs. A head's dashboard, which roll-outs need, must answer; a worker
        goes on for a while without its head."""
        if not any(_is(p, "raylet") for p in self.processes()):
            return False
        return self.head is not None or self.dashboard.answers()

    def processes(self) -> list[psutil.Process]:
        """Return our processes: those with our mark, or with our folder in their command line, and
        their descendants.

        Workers rename themselves, which may erase their visible environment, but they are children
        of the raylet, which does not.
        """
        found: dict[int, psutil.Process] = {}
        for process in psutil.process_iter():
            if process.pid != os.getpid() and self._owns(process):
                found[process.pid] = process
                with contextlib.suppress(psutil.Error):
                    found.update((child.pid, child) for child in process.children(recursive=True))
        return list(found.values())

    def _owns(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().effective != os.geteuid():
                return False  # whatever its environment contains
            if process.environ().get(MARK) == self.mark:
                return True
            return any(str(self.folder) in part for part in process.cmdline())
        return False

    def start(self) -> bool:
        """Start the node. Returns False if it was running already.

        Raises:
            CommandFailed: it does not start.
        """
        if self.running:
            return False
        self.stop()
        self.prepare()
        environment = self.environment()
        ray_token.provide(environment)
        log = self.home / "logs" / "ray-start.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            done = subprocess.run(  # noqa: S603 — a program of our own environment
                self._command(),
                env=environment,
                umask=UMASK,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=_START_S,
                start_new_session=True,
            )
        if done.returncode != 0:
            self.stop()
            raise CommandFailed(f"Ray does not start: {daemon.last_line(log)}", f"see {log}")
        return True

    def prepare(self) -> None:
        """Make the folders of a node, and write the program that Serve starts as HAProxy.

        Raises:
            CommandFailed, OSError: a folder cannot be made.
        """
        make_private(self.home)
        make_private(self.folder)
        make_private(self.front_folder)
        metrics = self.home / "run" / "metrics"
        # Leftover counters of dead processes would be added to those of living ones.
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir(parents=True)
        # Left by the last `quorum leave`: the node would never be ready.
        leaving_file(self.home).unlink(missing_ok=True)
        front = EdgeOptions(
            spare=spare_waits(), host=self.host, own_front=f"{self.http_host}:{self.node_port}"
        )
        install(self.edge, front)

    def _command(self) -> list[str]:
        # Logical CPUs are places for replicas, not cores: most replicas wait most of the time.
        places = max(16, 4 * (os.cpu_count() or 1))
        return [
            *(str(Path(sys.executable).with_name("ray")), "start", *self._role()),
            f"--node-ip-address={self.host}",
            *(f"--num-cpus={places}", f"--object-store-memory={OBJECT_STORE_BYTES}"),
            f"--labels={labels_text(self.labels)}",
            *(f"--temp-dir={self.folder / 'ray'}", "--disable-usage-stats", "--log-style=record"),
            *START_OPTIONS,
        ]

    def _role(self) -> list[str]:
        if self.head is not None:
            return [f"--address={self.head}"]
        return [
            *("--head", f"--port={self.ray_port}"),
            *(f"--dashboard-host={self.host}", f"--dashboard-port={self.dashboard_port}"),
            # The monitor scales machines, which Quorum does not, and shows its figures to all.
            "--no-monitor",
            *(self.redis_state.options() if self.redis_state and self.several else []),
        ]

    def forget_state(self) -> None:
        """Remove Ray's state of a cluster that has ended: a later one begins anew."""
        shutil.rmtree(self.state, ignore_errors=True)
        if self.redis_state is not None and self.several:
            self.redis_state.clear()

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the node in Ray, by which other nodes know it."""
        return {PORT_LABEL: str(self.node_port), VERSION_LABEL: CODE_VERSION}

    def stop(self, patience_s: float = 10.0) -> int:
        """End all processes of the node and remove its folder; the logs are kept.

        The raylet ends first, so that nothing is restarted; the GCS after its clients; HAProxy
        last, when nothing can restart it.

        Returns:
            The number of processes that ended.
        """
        processes = self.processes()
        raylets = [p for p in processes if _is(p, "raylet")]
        last = [p for p in processes if _is(p, "gcs_server") or _is(p, "haproxy")]
        rest = [p for p in processes if p not in raylets and p not in last]
        for group in (raylets, rest, last):
            daemon.end(group, first=signal.SIGTERM, patience_s=patience_s)
        # Processes that were starting meanwhile.
        daemon.end(self.processes(), first=signal.SIGKILL, patience_s=patience_s)
        keep_logs(self.folder / "ray", self.home / "logs" / "ray")
        remove_private(self.folder)
        if processes and self.several:
            remove_private(self.front_folder)
        return len(processes)


def _redis_state(settings: Settings) -> RedisState | None:
    if settings.gcs == "disk" or settings.redis_url is None:
        return None
    return RedisState.of(settings.redis_url.get_secret_value())


def _is(process: psutil.Process, name: str) -> bool:
    with contextlib.suppress(psutil.Error):
        return str(process.name()) == name
    return False
