"""Becomes the command of a container, in namespaces that `sandbox.py` has made. Not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def bind(source: str, root: Path, target: str, readonly: bool) -> None:
    place = root / target.lstrip("/")
    if os.path.isdir(source):
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    mount("--bind", source, str(place))
    if readonly:
        mount("-o", "remount,bind,ro", str(place))


def show(path: str, root: Path, mounted: list[str]) -> None:
    """Make a path of this machine readable; a folder in which something is mounted child by child,
    since nothing can be made in what is read-only."""
    if os.path.islink(path):
        os.symlink(os.readlink(path), root / path.lstrip("/"))
    elif any(target.startswith(f"{path}/") and not os.path.isdir(target) for target in mounted):
        (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        for name in sorted(os.listdir(path)):
            show(f"{path}/{name}", root, mounted)
    elif not (root / path.lstrip("/")).exists():
        bind(path, root, path, True)


def main() -> None:
    specification = json.loads(Path(sys.argv[1]).read_text())
    root = Path(specification["root"])
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=755", "root", str(root))
    mounted = [item["target"] for item in specification["mounts"]]
    for path in specification["readonly"]:
        show(path, root, mounted)
    for name in ("null", "zero", "full", "random", "urandom"):
        place = root / "dev" / name
        place.parent.mkdir(exist_ok=True)
        place.touch()
        mount("--bind", f"/dev/{name}", str(place))
    for name in ("tmp", "proc", "dev/shm"):
        (root / name).mkdir(parents=True, exist_ok=True)
    # As container runtimes do, a read-only root or not.
    mount("-t", "tmpfs", "-o", "mode=1777,size=64m", "shm", str(root / "dev/shm"))
    for item in sorted(specification["mounts"], key=lambda item: len(item["target"])):
        bind(item["source"], root, item["target"], item["readonly"])
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("-o", "remount,ro", str(root))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    os.chroot(root)
    os.chdir(specification["workdir"])
    command = [
        *("setpriv", f"--reuid={specification['uid']}", f"--regid={specification['gid']}"),
        *(f"--groups={specification['group']}", "--no-new-privs"),
        *("--bounding-set=-all", "--inh-caps=-all", "--", *specification["command"]),
    ]
    os.execvpe("setpriv", command, specification["env"])


if __name__ == "__main__":
    main()
