"""Copies of files that have their home elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.contracts.kubernetes.sources import script
from tests.contracts.root import ROOT

module = script("deploy/kubernetes/sync.py")


def test_copies_are_current() -> None:
    for copy, text in module.copies().items():
        assert (ROOT / copy).read_text() == text, f"{copy}: run `make manifests`"


def test_every_origin_is_there() -> None:
    assert set(module.copies()) == set(module.COPIES)


def test_pods_listen_on_every_address(tmp_path: Path) -> None:
    (tmp_path / "serve_config.yaml").write_text("http_options:\n  host: 127.0.0.1\n  port: 1\n")
    assert module.copies(tmp_path) == {
        module.HERE / "base/serve/serve_config.yaml": (
            "http_options:\n  host: 0.0.0.0\n  port: 1\n"
        )
    }
