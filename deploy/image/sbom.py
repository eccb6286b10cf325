"""Writes the software bill of materials of the image: CycloneDX 1.6, as JSON.

    python sbom.py SITE_PACKAGES... --packages /var/lib/dpkg/status >sbom.cdx.json

It lists what is installed: Python distributions by their metadata, Debian's packages by dpkg's
database, and the interpreter. The same image gives the same bytes: no time, no random number.
Programs inside wheels (PostgreSQL, Redis, HAProxy) are listed as their wheels.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from typing import Any

PRODUCT = "quorum-fraud"
DISTRO = "debian-12"
_LONGEST_NAME = 64

Component = dict[str, Any]


def of_python(installed: Iterable[Distribution]) -> list[Component]:
    """Return a component for each Python distribution, in the order of their names."""
    found = {}
    for distribution in installed:
        metadata = distribution.metadata
        name = metadata["Name"].lower().replace("_", "-").replace(".", "-")
        purl = f"pkg:pypi/{name}@{metadata['Version']}"
        found[purl] = _component(metadata["Name"], metadata["Version"], purl, licences(metadata))
    return [found[purl] for purl in sorted(found)]


def licences(metadata: PackageMetadata) -> list[dict[str, Any]]:
    """Return what a distribution says about its licence, as CycloneDX writes it.

    Its SPDX expression, else its `License` if that is a name and not a text, else its classifiers;
    empty if it says nothing.
    """
    if "License-Expression" in metadata:
        return [{"expression": metadata["License-Expression"]}]
    named = metadata["License"].strip() if "License" in metadata else ""
    if named and "\n" not in named and len(named) <= _LONGEST_NAME:
        return [{"license": {"name": named}}]
    classifiers = metadata.get_all("Classifier") or []
    names = [c.rpartition(" :: ")[2] for c in classifiers if c.startswith("License :: ")]
    return [{"license": {"name": name}} for name in names]


def of_debian(status: str) -> list[Component]:
    """Return a component for each installed package of dpkg's database, in the order of names."""
    found = []
    for package in _paragraphs(status):
        if package.get("Status", "").split()[-1:] != ["installed"]:
            continue
        name, version, machine = (package[k] for k in ("Package", "Version", "Architecture"))
        quoted = version.replace(":", "%3A").replace("+", "%2B").replace("~", "%7E")
        purl = f"pkg:deb/debian/{name}@{quoted}?arch={machine}&distro={DISTRO}"
        found.append(_component(name, version, purl, []))
    return sorted(found, key=lambda component: str(component["purl"]))


def bill(components: list[Component], python: str) -> dict[str, Any]:
    """Return the bill: Quorum, and the components that it is shipped with.

    Args:
        components: all of them, Quorum among them.
        python: version of the interpreter.

    Raises:
        ValueError: Quorum is not among them.
    """
    product = [c for c in components if c["name"] == PRODUCT]
    if len(product) != 1:
        raise ValueError(f"{PRODUCT} is not installed")
    licence = [{"expression": "PSF-2.0"}]
    interpreter = _component("python", python, f"pkg:generic/python@{python}", licence)
    others = [interpreter, *(c for c in components if c is not product[0])]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**product[0], "type": "application"}},
        "components": others,
    }


def _component(name: str, version: str, purl: str, licensed: list[dict[str, Any]]) -> Component:
    found: Component = {"type": "library", "name": name, "version": version}
    found |= {"bom-ref": purl, "purl": purl}
    return found | ({"licenses": licensed} if licensed else {})


def _paragraphs(status: str) -> Iterator[dict[str, str]]:
    for paragraph in status.split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line and not line[0].isspace()]
        if lines:
            yield {
                name: value.strip() for name, _, value in (line.partition(":") for line in lines)
            }


def main() -> None:
    """Print the bill."""
    parser = argparse.ArgumentParser(description="Print a CycloneDX bill of materials.")
    parser.add_argument("folders", nargs="+", help="site-packages")
    parser.add_argument("--packages", type=Path, required=True, help="dpkg's database")
    arguments = parser.parse_args()
    components = of_python(distributions(path=arguments.folders))
    components += of_debian(arguments.packages.read_text())
    print(json.dumps(bill(components, platform.python_version()), indent=1))


if __name__ == "__main__":
    main()
