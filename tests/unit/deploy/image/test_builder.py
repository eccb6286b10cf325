"""What the builder reads of the Dockerfile and of layers."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from deploy.image.builder import _files, default_base, instruction
from tests.contracts.root import ROOT


def test_the_base_is_the_dockerfiles() -> None:
    assert default_base("FROM x\nARG BASE=python@sha256:1\n") == "python@sha256:1"
    assert "@sha256:" in default_base((ROOT / "Dockerfile").read_text())
    with pytest.raises(ValueError, match="no ARG BASE"):
        default_base("FROM x\n")


def test_a_layer_is_as_large_as_its_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "layer", "w") as archive:
        for name in ("a", "b"):
            member = tarfile.TarInfo(name)
            member.size = 700
            archive.addfile(member, io.BytesIO(bytes(700)))
    assert _files(tmp_path / "layer") == 1_400


@pytest.mark.parametrize(
    ("created_by", "shown"),
    [
        ("/bin/sh", "/bin/sh"),
        ("", "base"),
        ("/bin/sh -c #(nop) COPY dir:ab12 in /opt/quorum ", "COPY to /opt/quorum"),
        ("|2 REVISION=unknown SOURCE= /bin/sh -c groupadd   x", "RUN /bin/sh -c groupadd x"),
    ],
)
def test_a_layers_instruction_is_readable(created_by: str, shown: str) -> None:
    assert instruction(created_by) == shown
