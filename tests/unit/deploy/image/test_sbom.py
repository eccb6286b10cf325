"""The bill of materials."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path

import pytest

from deploy.image.lock import FOLDER
from deploy.image.sbom import PRODUCT, bill, of_debian, of_python

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u14
Description: C library
 more: of it

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: adduser
Status: install ok installed
Architecture: all
Version: 1:3.134
"""


def installed(tmp_path: Path, name: str, fields: str) -> None:
    folder = tmp_path / f"{name}-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\n{fields}\n")


def test_what_a_distribution_says_about_its_licence(tmp_path: Path) -> None:
    classifier = "Classifier: License :: OSI Approved :: MIT License"
    installed(tmp_path, "a", f"License-Expression: MIT OR Apache-2.0\n{classifier}")
    installed(tmp_path, "b", "License: BSD")
    installed(tmp_path, "c", f"License: {'text ' * 50}\n{classifier}")
    installed(tmp_path, "D_d", "")
    found = {c["name"]: c for c in of_python(distributions(path=[str(tmp_path)]))}
    assert found["a"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert found["b"]["licenses"] == [{"license": {"name": "BSD"}}]
    assert found["c"]["licenses"] == [{"license": {"name": "MIT License"}}]
    assert "licenses" not in found["D_d"]
    assert found["D_d"]["purl"] == "pkg:pypi/d-d@1"


def test_packages_of_debian_that_are_installed() -> None:
    assert [(c["name"], c["purl"]) for c in of_debian(STATUS)] == [
        ("adduser", "pkg:deb/debian/adduser@1%3A3.134?arch=all&distro=debian-12"),
        ("libc6", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12"),
    ]


def test_a_bill_without_quorum_is_refused() -> None:
    with pytest.raises(ValueError, match=PRODUCT):
        bill(of_debian(STATUS), "3.11.9")


def test_the_bill_of_this_environment(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(STATUS)
    command = [sys.executable, FOLDER / "sbom.py", sysconfig.get_path("purelib")]
    first, second = (
        subprocess.run(
            [*command, "--packages", status], capture_output=True, check=True, timeout=60
        ).stdout
        for _ in range(2)
    )
    assert first == second
    document = json.loads(first)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["metadata"]["component"]["name"] == PRODUCT
    names = [component["name"] for component in document["components"]]
    assert {"ray", "numpy", "libc6", "python"} <= set(names)
    assert PRODUCT not in names
    references = [component["bom-ref"] for component in document["components"]]
    assert len(references) == len(set(references))
