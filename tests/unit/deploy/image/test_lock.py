"""The locks of the image: what they hold, and how pip's answer becomes one."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions
from typing import Any

import pytest

from deploy.image.lock import (
    FOLDER,
    INSTEAD,
    ONLY_ON,
    canonical,
    left_out,
    limits,
    lock_text,
    platforms,
    resolved,
    wanted,
)
from tests.contracts.root import ROOT

PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))?( \\)?$")
#: Dependencies of dependencies that constraints.txt leaves open.
UNCONSTRAINED = {"async-timeout", "setuptools"}


def locked(name: str) -> dict[str, tuple[str, list[str]]]:
    """Distribution -> (version, hashes)."""
    found: dict[str, tuple[str, list[str]]] = {}
    last = ""
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("    --hash=sha256:"):
            found[last][1].append(line.split(":")[1].rstrip(" \\"))
        else:
            matched = PINNED.match(line)
            assert matched, line
            last = matched["name"]
            found[last] = (matched["version"], [])
    return found


def constrained() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {canonical(name): version for name, version in (line.split("==") for line in lines)}


def test_versions_are_those_of_the_constraints() -> None:
    constraints = constrained()
    back = {new: old for old, new in INSTEAD.items()}
    found = {back.get(name, name): v for name, (v, _) in locked("requirements.lock").items()}
    assert set(found) - set(constraints) <= UNCONSTRAINED
    stale = {n: v for n, v in found.items() if n in constraints and constraints[n] != v}
    assert not stale, "run `make image-lock`"


def test_every_dependency_is_locked_and_no_gpu_code() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {canonical(re.split(r"[\[<>=; ]", line)[0]) for line in wanted(project["dependencies"])}
    found = set(locked("requirements.lock"))
    assert names <= found, "run `make image-lock`"
    assert not any(name.startswith("nvidia") for name in found)
    assert not found & set(INSTEAD)


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_everything_has_hashes_and_no_address(name: str) -> None:
    for distribution, (_, hashes) in locked(name).items():
        assert hashes, distribution
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in hashes)
    assert "://" not in (FOLDER / name).read_text()


def item(name: str, version: str, digest: str | None, file: str = "x.whl") -> dict[str, Any]:
    hashes = {} if digest is None else {"sha256": digest}
    return {
        "metadata": {"name": name, "version": version},
        "download_info": {"url": f"https://index/{file}", "archive_info": {"hashes": hashes}},
    }


def test_a_report_of_pip_is_read() -> None:
    report = {"install": [item("Py_YAML", "6.0", "aa"), item("numpy", "2.4", "bb")]}
    assert resolved(report) == {("py-yaml", "6.0"): {"aa"}, ("numpy", "2.4"): {"bb"}}


@pytest.mark.parametrize("bad", [item("a", "1", None), item("a", "1", "aa", "a.tar.gz")])
def test_what_is_no_hashed_wheel_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a 1 is no wheel"):
        resolved({"install": [bad]})


def test_the_text_has_markers_and_sorted_hashes() -> None:
    (name, machine), *_ = ONLY_ON.items()
    text = lock_text({("b", "1"): {"22", "11"}, (name, "2"): {"33"}}, "here")
    assert "out of here" in text
    assert "b==1 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n" in text
    assert f"{name}==2 ; platform_machine == '{machine}' \\\n" in text


def test_two_versions_of_one_distribution_are_refused() -> None:
    with pytest.raises(ValueError, match="versions of a"):
        lock_text({("a", "1"): {"11"}, ("a", "2"): {"22"}}, "here")


def test_others_take_the_place_of_some() -> None:
    (old, new), *_ = INSTEAD.items()
    assert wanted([f"{old}[extra]>=3,<4", "numpy>=1"]) == [f"{new}[extra]>=3,<4", "numpy>=1"]
    assert limits(f"# pins\n{old}==3.2\nnumpy==2\n") == [
        f"{old}==3.2",
        "numpy==2",
        f"{new}==3.2",
    ]
    with pytest.raises(ValueError, match="not a requirement"):
        wanted(["==3"])


def test_platforms_go_from_the_newest_glibc_to_the_oldest() -> None:
    tags = platforms("aarch64")
    assert tags[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)


def reported(name: str, *requires: str, extras: tuple[str, ...] = ()) -> dict[str, Any]:
    metadata = {"name": name, "version": "1", "requires_dist": list(requires)}
    return {"metadata": metadata, "requested_extras": list(extras)}


def test_what_an_early_release_of_python_needs_is_not_left_out() -> None:
    report = {
        "install": [
            reported(
                "redis",
                'async-timeout>=4.0.3; python_full_version < "3.11.3"',
                'tomli; python_version < "3.11"',
                'hiredis>=3; extra == "hiredis"',
                'winloop; sys_platform == "win32"',
            ),
            reported("ray", 'uvicorn[standard]; extra == "serve"', "xgboost", extras=("serve",)),
            reported("Uv.Icorn", 'only-arm; platform_machine == "aarch64"', "ray"),
        ]
    }
    assert left_out(report, "x86_64") == ["async-timeout>=4.0.3", "uvicorn"]
    assert left_out(report, "aarch64") == ["async-timeout>=4.0.3", "only-arm", "uvicorn"]


def test_the_lock_lacks_nothing_on_the_first_release() -> None:
    names = set(locked("requirements.lock"))
    installed = [d for d in distributions() if canonical(d.name) in names]
    assert len(installed) > 100
    report = {
        "install": [reported(d.name, *(d.requires or ())) for d in installed]
        + [reported(name) for name in names]
    }
    assert left_out(report, "x86_64") == []
