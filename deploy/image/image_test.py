"""Builds the image and runs it for real, on a machine without Docker: `make image-test`.

    python -m deploy.image.image_test [--base IMAGE] [--work FOLDER] [--keep]

It needs root, buildah, runc and debootstrap (`deploy/image/packages` installs them), 8 GB of disk
and the package index of this machine. Where the registry of the base cannot be reached, it makes a
base of Debian's own Python. It fails if a promise of docs/deploy-docker.md does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.image.builder import Builder, Layer
from deploy.image.container import USER, Container, Limits, bundle

LARGEST_BYTES = 1_500_000_000
START_S = 420.0
STOP_S = 15.0
REFUSED_S = 30.0
TOOLS = ("buildah", "runc", "debootstrap")
_FOLDERS = 12
_START = ("up", "--foreground", "--customers", "400", "--days", "75")
#: Every module of Quorum must be importable after what `trim.py` has taken away.
_IMPORT_ALL = """
import importlib, pkgutil, sys
import cluster, training, serve_app, deployments, models, data, features, experiments, deciding
found = [m.name for p in list(sys.modules.values()) if hasattr(p, "__path__")
         and p.__name__ in {"cluster", "training", "serve_app", "deployments", "models", "data",
                            "features", "experiments", "deciding"}
         for m in pkgutil.walk_packages(p.__path__, p.__name__ + ".")]
for name in found:
    if not name.endswith("__main__"):
        importlib.import_module(name)
import matplotlib.pyplot, mlflow.server, ray.serve, ray.train.xgboost, ray.tune, skl2onnx, xgboost
xgboost.train({}, xgboost.DMatrix([[0.0], [1.0]], [0, 1]), 1)
print(len(found), "modules")
"""
_DECIDE = """
import datetime, json, os, pathlib, urllib.request
lines = pathlib.Path(os.environ["QUORUM_HOME"], "demo.env").read_text().splitlines()
key = next(line.partition("=")[2].strip("'\\"") for line in lines if "API_KEY" in line)
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
body = {"transaction_id": "image-test", "customer_id": "demo-customer", "timestamp": now,
        "amount": "129.90", "currency": "USD", "type": "purchase", "merchant_id": "demo-merchant",
        "country": "US", "channel": "online"}
request = urllib.request.Request("http://127.0.0.1:8000/v1/decisions", json.dumps(body).encode(),
                                 {"X-API-Key": key, "Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""


class CheckFailed(Exception):
    """The image does not do what it promises."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A start that must fail at once, with one line.

    Attributes:
        name: what is wrong with the container.
        limits: the container's.
        says: a part of the line.
    """

    name: str
    limits: Limits
    says: str


REFUSALS = (
    Refusal("as root", Limits(user=0), "does not run as root"),
    Refusal("64 MB of shared memory", Limits(shared_memory="64m"), "--shm-size"),
    Refusal("1,024 open files", Limits(open_files=(1_024, 1_024)), "--ulimit nofile="),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where containers of one image run.

    Attributes:
        image: its configuration, as buildah shows it.
        root: its file system, mounted.
        work: folder for bundles and homes.
    """

    image: dict[str, Any]
    root: str
    work: Path

    def container(self, name: str, command: tuple[str, ...], limits: Limits) -> Container:
        """Return a container with a new home, not started."""
        home = self.work / "homes" / name
        home.mkdir(parents=True)
        home.chmod(0o700)
        os.chown(home, limits.user, limits.user)
        config = bundle(self.image, self.root, home, command, limits)
        unique = f"quorum-{name}-{os.getpid()}"
        return Container(unique, self.work / "bundles" / name, config)

    def home(self, name: str) -> Path:
        """Return the home of a container."""
        return self.work / "homes" / name


def check_refusals(bench: Bench) -> None:
    """Check that a container that cannot work ends at once, before anything is made."""
    for number, refusal in enumerate(REFUSALS):
        name = f"refused-{number}"
        container = bench.container(name, _START, refusal.limits)
        try:
            container.start()
            code = container.wait(REFUSED_S)
        finally:
            container.remove()
        said = container.log.read_text().strip()
        last = said.splitlines()[-1] if said else ""
        require(code != 0 and refusal.says in last, f"{refusal.name}: exit code {code}: {said}")
        left = sorted(file.name for file in bench.home(name).iterdir())
        require(not left, f"{refusal.name}: it left {left}")
        report(f"refused {refusal.name}", last)


def check_run(bench: Bench) -> None:
    """Check the first start, a decision, and the end; then the second start."""
    container = bench.container("run", _START, Limits())
    try:
        report("first start", f"{_start(container):.0f} s")
        check_inside(container)
        said = json.loads(_called(container, "python", "-c", _DECIDE))
        require(
            said["decision"] in ("approve", "challenge", "review", "block"), f"decision: {said}"
        )
        report("decision inside", f"{said['decision']}, degraded: {said.get('degraded')}")
        report("end of the first run", _stop(container))
        report("second start", f"{_start(container):.0f} s")
        report("end of the second run", _stop(container))
    finally:
        container.remove()


def check_inside(container: Container) -> None:
    """Check what a process of the container is and may do."""
    said = _called(container, "id", "-u").strip()
    require(said == str(USER), f"it runs as uid {said}")
    for place in ("/opt/quorum/x", "/usr/x", "/x", "/etc/x"):
        done = container.call("touch", place)
        require("Read-only file system" in done.stderr, f"touch {place}: {done}")
    _called(container, "touch", "/tmp/x", "/var/lib/quorum/x")  # noqa: S108 — of the container
    for absent in ("gcc", "cc"):
        require(container.call("which", absent).returncode != 0, f"{absent} is in the image")
    health = ("python", "-S", "-E", "/opt/quorum/share/health.py")
    for asked in ("live", "ready"):
        _called(container, *health, asked)
    require(container.call(*health, "nonsense").returncode != 0, "health.py takes any word")
    report("inside", f"uid {USER}, read-only root, healthy")


def check_commands(bench: Bench) -> None:
    """Check that the other commands start, and that all modules are there."""
    for command in ("up", "migrate", "train"):
        container = bench.container(f"help-{command}", (command, "--help"), Limits())
        container.start()
        code = container.wait(60)
        container.remove()
        require(code == 0, f"{command} --help: {container.log.read_text()}")
    container = bench.container("modules", (), Limits())
    container.config["process"]["args"] = ["python", "-c", _IMPORT_ALL]
    container.start()
    code = container.wait(180)
    container.remove()
    said = container.log.read_text().strip()
    require(code == 0, f"modules: {said}")
    report("imported", said.splitlines()[-1])


def check_size(layers: list[Layer]) -> None:
    """Print the layers, and check their sum."""
    for layer in layers:
        report(f"{layer.bytes / 1e6:8,.1f} MB", layer.made_by)
    total = sum(layer.bytes for layer in layers)
    report(f"{total / 1e6:8,.1f} MB", "in all")
    require(total < LARGEST_BYTES, f"{total:,} bytes are over {LARGEST_BYTES:,}")


def report_folders(root: str) -> None:
    """Print the largest packages of the environment."""
    (packages,) = (Path(root) / "opt/quorum/lib").glob("python*/site-packages")
    sizes = {
        folder.name: sum(f.lstat().st_size for f in folder.rglob("*") if not f.is_dir())
        for folder in packages.iterdir()
        if folder.is_dir()
    }
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True)[:_FOLDERS]:
        report(f"{sizes[name] / 1e6:8,.1f} MB", f"of site-packages: {name}")


def check_bill(root: str) -> None:
    """Check that the bill of materials lists what the image has, and no GPU code."""
    bill = json.loads((Path(root) / "opt/quorum/share/sbom.cdx.json").read_text())
    names = {component["name"].lower() for component in bill["components"]}
    require({"ray", "xgboost-cpu", "python", "libc6"} <= names, "the bill is not complete")
    require(not any("nvidia" in name for name in names), "there is GPU code in the bill")
    report("bill of materials", f"{len(names)} components")


def require(holds: bool, otherwise: str) -> None:
    """Raise CheckFailed(otherwise) unless something holds."""
    if not holds:
        raise CheckFailed(otherwise)


def report(what: str, found: str) -> None:
    """Print a line of the report."""
    print(f"{what:24} {found}", flush=True)


def _called(container: Container, *command: str) -> str:
    done = container.call(*command)
    require(done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def _start(container: Container) -> float:
    """Start it, and wait until it is ready. Returns the seconds."""
    began = time.monotonic()
    container.start()
    url = "http://"
    while url not in container.log.read_text():  # printed when all is deployed
        require(container.ended() is None, f"it ended: {_tail(container)}")
        require(time.monotonic() - began < START_S, f"not ready: {_tail(container)}")
        time.sleep(0.5)
    return time.monotonic() - began


def _stop(container: Container) -> str:
    code, seconds = container.stop(2 * STOP_S)
    require(code == 0, f"exit code {code} on SIGTERM: {_tail(container)}")
    require(seconds < STOP_S, f"{seconds:.1f} s from SIGTERM to the end")
    return f"exit code 0, {seconds:.1f} s after SIGTERM"


def _tail(container: Container) -> str:
    return "\n".join(container.log.read_text().splitlines()[-20:])


def _run(builder: Builder, base: str | None) -> None:
    base = base or builder.base()
    report("base", base)
    seconds = builder.build(base)
    report("built in", f"{seconds:.0f} s")
    check_size(builder.layers())
    with builder.mounted() as root:
        bench = Bench(builder.configuration(), root, builder.work)
        report_folders(root)
        check_bill(root)
        steps: tuple[Callable[[Bench], None], ...] = (check_commands, check_refusals, check_run)
        for step in steps:
            step(bench)


def main() -> int:
    """Build and run. Returns the exit code: 1 if the image breaks a promise, 2 if it cannot be
    tested here."""
    parser = argparse.ArgumentParser(description="Build the image and run it for real.")
    parser.add_argument("--base", help="a local image to build on")
    parser.add_argument("--work", type=Path, help="folder for everything; 8 GB")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        what = f"{', '.join(missing)} missing" if missing else "root is needed"
        print(f"the image cannot be tested here: {what}", file=sys.stderr)
        return 2
    work = arguments.work or Path(tempfile.mkdtemp(prefix="quorum-image-"))
    builder = Builder(work.resolve())
    try:
        _run(builder, arguments.base)
    except (CheckFailed, subprocess.SubprocessError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    finally:
        builder.release()
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
