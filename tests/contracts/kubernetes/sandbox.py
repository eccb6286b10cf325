"""Runs a container of the manifests as a process of this machine, in namespaces.

It gets what the pod's specification says: command, arguments, environment from the config map,
secrets and fields of the pod, a read-only root, volumes at their places, user and groups, no
privileges. The image's files are this machine's and those of the virtual environment. Root is
needed for that.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.contracts.kubernetes.manifests import Objects, container
from tests.contracts.root import ROOT

Secrets = Mapping[str, Mapping[str, str]]
_READ_ONLY = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/opt")
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")


def require_root() -> None:
    """Skip the test where no namespaces can be made."""
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("namespaces are not allowed on this machine")


@dataclass
class Sandbox:
    """One container.

    Attributes:
        objects: rendered manifests, which it is of.
        name: as in `manifests.containers`.
        folder: an empty folder, for its volumes.
        secrets: name of a secret -> key -> value.
        fields: fields of the pod, such as `status.podIP`.
        volumes: folders for volumes that outlive it, by name.
        environment: variables that the image or KubeRay adds. These win.
        account: files of the service account, which Kubernetes mounts into pods that ask for it.
        network: whether it has this machine's network; else it has one of its own.
    """

    objects: Objects
    name: str
    folder: Path
    secrets: Secrets = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Path | None = None
    network: bool = True

    def __post_init__(self) -> None:
        require_root()
        self._pod, self._container = container(self.objects, self.name)
        self._security = self._pod["spec"]["securityContext"]

    def run(self, *arguments: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run the container to its end.

        Args:
            arguments: in place of the container's `args`.
        """
        command = [*self._container.get("command", ()), *(arguments or self._args())]
        return subprocess.run(
            self._whole(command), capture_output=True, text=True, check=False, timeout=timeout_s
        )

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Run the container beside the test; SIGTERM ends it, as a kubelet does."""
        command = [*self._container.get("command", ()), *self._args()]
        log = self.folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                self._whole(command),
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + 10
            while not _children(process.pid):
                assert process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.01)
            yield process
        finally:
            for pid in _children(process.pid):
                os.kill(pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def probe(self, which: str, process: subprocess.Popen[str]) -> bool:
        """Run the command of a probe in the network of the running container."""
        command = self._container[which]["exec"]["command"]
        inner = [part for part in self._whole(command) if part != "--net"]
        inside = ["nsenter", "--net", f"--target={_children(process.pid)[0]}", *inner]
        whole = inner if self.network else inside
        seconds = self._container[which]["timeoutSeconds"] + 10
        done = subprocess.run(whole, capture_output=True, timeout=seconds, check=False)
        return done.returncode == 0

    def wait_for(self, which: str, process: subprocess.Popen[str], seconds: float) -> None:
        """Wait until a probe succeeds."""
        deadline = time.monotonic() + seconds
        while not self.probe(which, process):
            assert process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()

    def log(self) -> str:
        """Return what the container has written."""
        return (self.folder / "log").read_text()

    def env(self) -> dict[str, str]:
        """Return the environment, as Kubernetes would resolve it."""
        found: dict[str, str] = {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/var/lib/quorum",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for source in self._container.get("envFrom", ()):
            found.update(self.objects[f"ConfigMap/{source['configMapRef']['name']}"]["data"])
        for item in self._container.get("env", ()):
            found[item["name"]] = self._value(item, found)
        return {**found, **self.environment}

    def _value(self, item: Any, known: Mapping[str, str]) -> str:
        source = item.get("valueFrom")
        if source is None:
            text = str(item.get("value", ""))
            return _REFERENCE.sub(lambda m: known.get(m[1], m[0]), text)
        if "secretKeyRef" in source:
            return self.secrets[source["secretKeyRef"]["name"]][source["secretKeyRef"]["key"]]
        return self.fields[source["fieldRef"]["fieldPath"]]

    def _args(self) -> list[str]:
        known = self.env()
        return [
            _REFERENCE.sub(lambda m: known.get(m[1], m[0]), text)
            for text in self._container.get("args", ())
        ]

    def _whole(self, command: list[str]) -> list[str]:
        mounts = [self._mount(mount) for mount in self._container["volumeMounts"]]
        if self.account is not None:
            target = "/var/run/secrets/kubernetes.io/serviceaccount"
            mounts.append({"source": str(self.account), "target": target, "readonly": True})
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        specification = {
            "root": str(root),
            "readonly": _readable(),
            "mounts": mounts,
            "uid": self._security["runAsUser"],
            "gid": self._security["runAsGroup"],
            "group": self._security["fsGroup"],
            "workdir": self._container.get("workingDir", "/tmp"),
            "env": self.env(),
            "command": command,
        }
        # A new file for each process: another may not have read its own yet.
        path = self.folder / f"{uuid4().hex}.json"
        path.write_text(json.dumps(specification))
        own = [] if self.network else ["--net"]
        return [
            *("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", *own),
            *(sys.executable, str(Path(__file__).with_name("sandboxed.py")), str(path)),
        ]

    def _mount(self, mount: Any) -> dict[str, Any]:
        name = mount["name"]
        volumes = {item["name"]: item for item in self._pod["spec"].get("volumes", ())}
        source = volumes.get(name, {"persistentVolumeClaim": {}})
        folder = Path(self.volumes.get(name, self.folder / "volumes" / name))
        folder.mkdir(parents=True, exist_ok=True)
        if "secret" in source:
            self._files(folder, source["secret"], self.secrets[source["secret"]["secretName"]])
        elif "configMap" in source:
            data = self.objects[f"ConfigMap/{source['configMap']['name']}"]["data"]
            self._files(folder, source["configMap"], data)
        else:
            os.chown(folder, 0, self._security["fsGroup"])
            folder.chmod(0o2777 if "emptyDir" in source else 0o2775)
        return {
            "source": str(folder),
            "target": mount["mountPath"],
            "readonly": mount.get("readOnly", False),
        }

    def _files(self, folder: Path, source: Any, data: Mapping[str, str]) -> None:
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            path = folder / item["path"]
            if path.exists():
                continue
            path.write_text(data[item["key"]])
            os.chown(path, 0, self._security["fsGroup"])
            path.chmod(source.get("defaultMode", 0o644))
        os.chown(folder, 0, self._security["fsGroup"])
        folder.chmod(0o750)


def _readable() -> list[str]:
    """Return the folders of this machine that the container sees.

    The interpreter behind the virtual environment may be anywhere, in another user's home too.
    """
    system = [path for path in _READ_ONLY if Path(path).exists()]
    base = [] if Path(sys.base_prefix).is_relative_to("/usr") else [sys.base_prefix]
    return [*system, *base, str(ROOT), sys.prefix]


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]
