"""The files behind the pages."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from serve_app.http.reference.assets import NAMES, asset

TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_there_and_has_its_type(name: str) -> None:
    found = asset(name)
    assert found.body
    assert found.media_type == TYPES.get(name.rpartition(".")[2], "image/png")


def test_files_differ_by_etag() -> None:
    assert len({asset(name).etag for name in NAMES}) == len(NAMES)


def test_the_viewer_is_the_version_that_its_wheel_names() -> None:
    assert version("flask-swagger-ui").encode() in asset("swagger-ui-bundle.js").body


def test_there_is_no_other_file() -> None:
    with pytest.raises(KeyError):
        asset("page.py")
