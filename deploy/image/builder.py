"""The image, built by buildah without Docker, without a daemon and without a registry."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.image.lock import FOLDER, PYTHON, ROOT, platforms

IMAGE = "localhost/quorum"
DEBIAN_BASE = "localhost/quorum-base"
SUITE = "bookworm"
_PULL_S = 60
_SHOWN = 50
_PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PIP = "[global]\nno-index = true\nfind-links = /wheels\n"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the image.

    Attributes:
        made_by: the instruction that made it, shortened.
        bytes: size of its files as a tar archive.
    """

    made_by: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds one image with a storage of its own under `work`."""

    work: Path

    def base(self) -> str:
        """Return the base to build on: the Dockerfile's where its registry answers, else one made
        of Debian's packages."""
        pinned = default_base((ROOT / "Dockerfile").read_text())
        try:
            self._buildah("pull", "--quiet", "--retry", "0", pinned, timeout_s=_PULL_S)
        except subprocess.SubprocessError:
            return self._debian_base()
        return pinned

    def build(self, base: str) -> float:
        """Build the image. Returns the seconds, without the download of the wheels."""
        wheels, pip = self._wheels(), self.work / "pip.conf"
        pip.write_text(_PIP)
        began = time.monotonic()
        self._buildah(
            *("build", "--layers", "--isolation", "chroot", "--network", "host"),
            *("--format", "docker", "--build-arg", f"BASE={base}"),
            *("--volume", f"{wheels}:/wheels:ro", "--volume", f"{pip}:/etc/pip.conf:ro"),
            *("--tag", IMAGE, str(ROOT)),
        )
        return time.monotonic() - began

    def configuration(self) -> dict[str, Any]:
        """Return what the image says about itself: `Env`, `Entrypoint`, `Labels`, `Healthcheck`."""
        said = json.loads(self._buildah("inspect", "--type", "image", IMAGE))
        return dict(said["Docker"]["config"])

    def layers(self) -> list[Layer]:
        """Return the layers from the base up, each with the instruction that made it."""
        folder = self.work / "pushed"
        self._buildah("push", "--quiet", "--disable-compression", IMAGE, f"dir:{folder}")
        manifest = json.loads((folder / "manifest.json").read_text())
        config = json.loads((folder / _blob(manifest["config"]["digest"])).read_text())
        steps = [step for step in config["history"] if not step.get("empty_layer")]
        made = [instruction(step["created_by"]) for step in steps]
        sizes = [_files(folder / _blob(layer["digest"])) for layer in manifest["layers"]]
        return [Layer(*pair) for pair in zip(made, sizes, strict=True)]

    @contextmanager
    def mounted(self) -> Iterator[str]:
        """Yield the path of the image's file system."""
        container = self._buildah("from", IMAGE).strip()
        try:
            yield str(Path(self._buildah("mount", container).strip()).resolve())
        finally:
            self._buildah("umount", container)
            self._buildah("rm", container)

    def release(self) -> None:
        """Unmount what a run that failed left mounted."""
        self._buildah("rm", "--all")

    def _wheels(self) -> Path:
        """Download what the locks name with this machine's pip, which knows its index."""
        folder = self.work / "wheels"
        for lock in ("build.lock", "requirements.lock"):
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "-qq", "--no-deps"),
                    *("--require-hashes", "--only-binary", ":all:", "--implementation", "cp"),
                    *("--python-version", PYTHON, "--dest", str(folder)),
                    *(part for tag in platforms(_machine()) for part in ("--platform", tag)),
                    *("--requirement", str(FOLDER / lock)),
                ],
                check=True,
            )
        return folder

    def _debian_base(self) -> str:
        root = self.work / "debian"
        command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", SUITE, str(root)]
        with (self.work / "debootstrap.log").open("wb") as log:
            subprocess.run(command, stdout=log, stderr=log, check=True)
        # What images of Debian leave out too.
        for cache in ("var/cache/apt", "var/lib/apt/lists", "usr/share/locale", "usr/share/man"):
            subprocess.run(["find", str(root / cache), "-mindepth", "1", "-delete"], check=True)
        container = self._buildah("from", "scratch").strip()
        self._buildah("add", container, str(root), "/")
        self._buildah("config", "--env", f"PATH={_PATH}", container)
        self._buildah("commit", "--quiet", "--rm", container, DEBIAN_BASE)
        return DEBIAN_BASE

    def _buildah(self, *command: str, timeout_s: float | None = None) -> str:
        """Run buildah; its messages go to a log. Returns what it printed."""
        storage = ("--root", str(self.work / "storage"), "--runroot", str(self.work / "run"))
        with (self.work / "buildah.log").open("ab") as log:
            done = subprocess.run(
                ["buildah", *storage, *command],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                timeout=timeout_s,
                check=False,
            )
            log.write(done.stdout.encode())
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, ["buildah", command[0]])
        return done.stdout


def default_base(dockerfile: str) -> str:
    """Return the base that a Dockerfile names.

    Raises:
        ValueError: it names none.
    """
    for line in dockerfile.splitlines():
        name, _, value = line.partition("=")
        if name == "ARG BASE":
            return value
    raise ValueError("the Dockerfile has no ARG BASE")


def instruction(created_by: str) -> str:
    """Return the beginning of an instruction out of a layer's history, as the Dockerfile has it."""
    text = created_by.removeprefix("/bin/sh -c").strip().removeprefix("#(nop)").strip()
    text = re.sub(r"^\|\d+ (\w+=\S* )*", "RUN ", text)
    text = re.sub(r"(dir|file|multi):[0-9a-f]+ in", "to", text)
    return " ".join(text.split())[:_SHOWN] or "base"


def _machine() -> str:
    return subprocess.run(
        ["uname", "-m"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _blob(digest: str) -> str:
    return digest.partition(":")[2]


def _files(layer: Path) -> int:
    """Bytes of the files of a layer."""
    with tarfile.open(layer) as archive:
        return sum(member.size for member in archive)
