"""Machines for tests, out of Linux namespaces: what several computers do, on one.

Each machine has its own network, processes, mounts (/tmp, /dev/shm, /proc) and host name. A bridge
connects them. It is in a network namespace too, the hub, which the test's thread enters: its
clients and servers are the hub's, and the network of the real computer is left alone.

Needs root, util-linux and iproute2. Where something is missing, `hub` skips the test. Everything
dies with the test process: machines by the kernel's death signal, networks with their last process.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil
import pytest

from cluster.embedded import daemon
from tests.contracts.run_folder import run_folder

HUB = "10.77.0.1"
"""Address of the hub, where the test and its servers are."""

_BRIDGE = "bridge"
_CLONE_NEWNET = 0x40000000
_START_S = 30.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH")

# Process 1 of a machine: prepares its mounts, then only collects ended processes. The run's folder
# keeps its path although /tmp is the machine's own.
_BOOT = """
set -e
folder=$1 name=$2 shared_memory=$3
mount --bind "$folder" /mnt
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p "$folder"
mount --move /mnt "$folder"
mount -t tmpfs -o "mode=1777,size=$shared_memory" tmpfs /dev/shm
mount -t proc proc /proc
mount --bind "$folder/hosts" /etc/hosts
hostname "$name"
exec "$4" -S -c '
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
print("booted", flush=True)
while True:
    signal.sigwait([signal.SIGCHLD])
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
'
"""


@functools.cache
def what_is_missing() -> str:
    """Return why machines cannot be made here, in one line; "" if they can."""
    if not sys.platform.startswith("linux"):
        return "machines for tests are Linux namespaces"
    if os.geteuid() != 0:
        return "machines for tests need root"
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            return f"machines for tests need `{program}` (util-linux, iproute2)"
    trial = (
        "mount -t tmpfs tmpfs /mnt && ip link add bridge0 type bridge"
        " && ip link add left0 type veth peer name right0"
    )
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", trial],
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        return f"this kernel makes no namespaces for machines: {done.stderr.strip()[:200]}"
    return ""


@contextmanager
def hub() -> Iterator[Hub]:
    """Make a network for machines and enter it; afterwards all its machines are gone.

    Only this thread enters it, and the threads and processes that it starts from then on. Machines
    must be made by this thread too: they die with the thread that made them.
    """
    if missing := what_is_missing():
        pytest.skip(missing)
    with run_folder("machines") as folder, _own_network():
        folder.chmod(0o755)
        (folder / "hosts").write_text("127.0.0.1 localhost\n")
        _ip(
            "link set lo up",
            f"link add {_BRIDGE} address {_mac(HUB)} type bridge",
            f"address add {HUB}/24 dev {_BRIDGE}",
            f"link set {_BRIDGE} up",
        )
        made = Hub(folder)
        try:
            yield made
        finally:
            for machine in made.machines:
                machine.kill_all()


@dataclass
class Hub:
    """The network between machines. See `hub`.

    Attributes:
        folder: of the run; all machines see it under this path.
        environment: of all machines' processes.
        machines: made so far.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    machines: list[Machine] = field(default_factory=list)

    @property
    def shared(self) -> Path:
        """A folder that machines share, as over a network file system."""
        shared = self.folder / "shared"
        shared.mkdir(exist_ok=True)
        return shared

    def machine(
        self, name: str, address: str = "", shared_memory_mb: int = 512, disk_mb: int | None = None
    ) -> Machine:
        """Make and boot a machine.

        Args:
            name: host name; at most 12 characters.
            address: None: the next free one. A machine may have that of another that is off.
            shared_memory_mb: size of /dev/shm.
            disk_mb: size of a home that is lost when the machine goes off; None: a folder on the
                real disk, which stays.
        """
        address = address or f"10.77.0.{11 + len(self.machines)}"
        machine = Machine(self, name, address, shared_memory_mb, disk_mb)
        self.machines.append(machine)
        with (self.folder / "hosts").open("a") as hosts:
            hosts.write(f"{address} {name}\n")
        machine.boot()
        return machine


@dataclass
class Machine:
    """A machine of a test. Made by `Hub.machine`.

    Attributes:
        environment: of its processes, over that of the hub's `environment`.
    """

    hub: Hub
    name: str
    address: str
    shared_memory_mb: int
    disk_mb: int | None
    environment: dict[str, str] = field(default_factory=dict)
    _init: psutil.Process | None = None
    _cut: bool = False

    @property
    def home(self) -> Path:
        """Its disk: `$HOME` and `$QUORUM_HOME`. Outlives it, unless it has a size."""
        return self.hub.folder / self.name

    @property
    def on(self) -> bool:
        """Whether it runs."""
        return self._init is not None and self._init.is_running()

    def boot(self) -> None:
        """Start it, with an empty /tmp and the home as it was."""
        assert not self.on, f"{self.name} runs"
        self.home.mkdir(mode=0o700, exist_ok=True)
        log = self.hub.folder / f"{self.name}.log"
        log.unlink(missing_ok=True)
        starter = daemon.spawn(
            [
                *("unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork"),
                *("--kill-child=SIGKILL", "sh", "-c", _BOOT, "boot"),
                *(self.hub.folder, self.name, f"{self.shared_memory_mb}m", sys.executable),
            ],
            cwd=Path("/"),
            log=log,
            dies_with_us=signal.SIGKILL,
        )
        daemon.await_ready(
            starter,
            lambda: "booted" in log.read_text(),
            log=log,
            name=f"machine {self.name}",
            wait_s=_START_S,
        )
        (self._init,) = psutil.Process(starter.pid).children()
        self._plug_in()
        if self.disk_mb is not None:
            self.run(["mount", "-t", "tmpfs", "-o", f"size={self.disk_mb}m", "disk", self.home])

    def kill_all(self) -> None:
        """Kill all its processes at once. Its kernel closes their connections, which others see."""
        if self._init is not None:
            starter = self._init.parent()
            with contextlib.suppress(psutil.NoSuchProcess):
                self._init.kill()
            # Process 1 ends after all others of its namespace.
            for process in (self._init, starter):
                if process is not None:
                    process.wait(30)
            self._init = None
        self._unplug()

    def lose_power(self) -> None:
        """End it without a word: nobody is told that its connections are gone."""
        self.cut()
        self.kill_all()

    def cut(self) -> None:
        """Lose every packet from and to it, silently: no reset, no link that is down."""
        if not self._cut:
            _ip(f"link set {self._link} nomaster")
            self._cut = True

    def mend(self) -> None:
        """Connect it again."""
        if self._cut:
            _ip(f"link set {self._link} master {_BRIDGE}")
            self._cut = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
        timeout_s: float = 300.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in the home.

        Args:
            command: program and arguments.
            environment: over the machine's.
            check: the test fails if the command does.
            timeout_s: it is killed then, and `subprocess.TimeoutExpired` raised.
        """
        # Files, not pipes: servers that a command leaves behind keep those open.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            process = self.spawn(command, environment=environment, output=output, errors=errors)
            try:
                status = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            output.seek(0)
            errors.seek(0)
            done = subprocess.CompletedProcess(command, status, output.read(), errors.read())
        assert not check or done.returncode == 0, (
            f"{self.name}: {' '.join(map(str, command))}: {status}\n{done.stdout}\n{done.stderr}"
        )
        return done

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        output: int | IO[str] = subprocess.DEVNULL,
        errors: int | IO[str] = subprocess.STDOUT,
    ) -> Process:
        """Start a command in the home.

        Args:
            command: program and arguments.
            environment: over the machine's.
            output: where its output goes, as `subprocess.Popen` takes it.
            errors: where its errors go.
        """
        starter = subprocess.Popen(
            [
                *("nsenter", "--target", str(self.init.pid)),
                *("--net", "--uts", "--ipc", "--mount", "--pid"),
                *("env", "--chdir", str(self.home), *map(str, command)),
            ],
            env={**self._environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            text=True,
        )
        return Process(starter)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Have this thread open its connections on the machine, to 127.0.0.1 for example."""
        with _in_network(Path(f"/proc/{self.init.pid}/ns/net")):
            yield

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Return its processes without process 1; those whose name contains `name`."""
        namespace, found = os.readlink(f"/proc/{self.init.pid}/ns/pid"), []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                there = os.readlink(f"/proc/{process.pid}/ns/pid") == namespace
                alive = process.status() != psutil.STATUS_ZOMBIE
                if there and alive and process != self._init and name in process.name():
                    found.append(process)
        return found

    @property
    def init(self) -> psutil.Process:
        """Its process 1."""
        assert self._init is not None, f"{self.name} is off"
        return self._init

    @property
    def _link(self) -> str:
        """The end of its cable at the bridge."""
        return f"to-{self.name}"

    def _environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            "HOME": str(self.home),
            "QUORUM_HOME": str(self.home),
            **self.hub.environment,
            **self.environment,
        }

    def _plug_in(self) -> None:
        self._unplug()
        end = f"address {_mac(self.address)} netns {self.init.pid}"
        _ip(
            f"link add {self._link} type veth peer name eth0 {end}",
            # What comes while it is cut off reaches the hub, which must not answer.
            f"link set {self._link} arp off",
            f"link set {self._link} master {_BRIDGE} up",
        )
        self._cut = False
        with self.network():
            _ip(
                "link set lo up",
                f"address add {self.address}/24 dev eth0",
                "link set eth0 up",
                *self._neighbours(),
            )

    def _unplug(self) -> None:
        # The kernel removes it some time after the machine's last process.
        subprocess.run(["ip", "link", "delete", self._link], capture_output=True)
        self._cut = False

    def _neighbours(self) -> list[str]:
        """Commands that fix the hardware addresses of all others. Otherwise, a machine that is off
        is "no route to host" after three seconds, which routers between real ones do not tell."""
        return [
            f"neigh replace {there} lladdr {_mac(there)} dev eth0 nud permanent"
            for there in (HUB, *(f"10.77.0.{n}" for n in range(11, 60)))
            if there != self.address
        ]


@dataclass(frozen=True)
class Process:
    """A command that runs on a machine.

    Attributes:
        starter: our process that waits for it and ends as it does.
    """

    starter: subprocess.Popen[str]

    def send(self, number: int) -> None:
        """Send it a signal."""
        for child in psutil.Process(self.starter.pid).children():
            child.send_signal(number)

    def kill(self) -> None:
        """Kill it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.send(signal.SIGKILL)
        self.starter.kill()
        self.starter.wait()

    def wait(self, timeout_s: float) -> int:
        """Wait for its end. Returns its exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time.
        """
        return self.starter.wait(timeout_s)


def clock_off_by(seconds: int) -> dict[str, str]:
    """Return variables for a command on a machine whose clock is wrong; skip without libfaketime.

    Namespaces cannot shift the time of day.
    """
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("a wrong clock needs libfaketime: apt-get install faketime")
    # Durations must stay right, or waiting does.
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME": f"{seconds:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _ip(*commands: str) -> None:
    """Run commands of iproute2 in this thread's network."""
    done = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands), capture_output=True, text=True
    )
    assert done.returncode == 0, f"ip: {done.stderr.strip()}"


def _mac(address: str) -> str:
    """Return the hardware address of an IPv4 address, the same whoever has it."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


@contextmanager
def _own_network() -> Iterator[None]:
    """Give this thread a new, empty network, and its old one back afterwards."""
    with _kept_network():
        _checked("unshare", _libc().unshare(_CLONE_NEWNET))
        yield


@contextmanager
def _in_network(namespace: Path) -> Iterator[None]:
    with _kept_network(), namespace.open("rb") as file:
        _checked("setns", _libc().setns(file.fileno(), _CLONE_NEWNET))
        yield


@contextmanager
def _kept_network() -> Iterator[None]:
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        try:
            yield
        finally:
            _checked("setns", _libc().setns(before.fileno(), _CLONE_NEWNET))


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(call: str, result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")
