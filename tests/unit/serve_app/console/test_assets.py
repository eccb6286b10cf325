"""The files that pages load."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from serve_app.console import assets as module
from serve_app.console.assets import NAMES, assets, plain_name


def test_every_file_of_the_folder_is_served_and_no_other() -> None:
    folder = Path(module.__file__).parent / "static"
    assert {path.name for path in folder.iterdir()} == set(NAMES) == set(assets())


@pytest.mark.parametrize("name", NAMES)
def test_a_name_tells_the_bytes(name: str) -> None:
    asset = assets()[name]
    digest = hashlib.sha256(asset.body).hexdigest()[:12]
    stem, _, suffix = name.rpartition(".")
    assert asset.served == f"{stem}.{digest}.{suffix}"
    assert plain_name(asset.served) == name


@pytest.mark.parametrize("served", ["", "console.css", "../console.0.css", "a.b.c.css", "."])
def test_other_names_name_nothing(served: str) -> None:
    assert plain_name(served) not in assets()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    text = assets()[name].body.decode().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|url\(|@import|\beval\b|innerHTML", text)
