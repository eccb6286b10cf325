"""Where an embedded server keeps its log and its endpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.embedded.endpoint import choose
from cluster.embedded.server import EmbeddedServer
from cluster.errors import CommandFailed


class Server(EmbeddedServer):
    """One whose process does not matter."""

    name = "Cassandra"
    pid = None
    running = False

    @property
    def url(self) -> str:
        return f"cassandra://127.0.0.1:{self._endpoint().port}"

    def start(self) -> bool:
        raise NotImplementedError

    def stop(self) -> bool:
        raise NotImplementedError


def test_the_log_lies_in_the_folder_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Server(Path("db")).log == tmp_path / "db" / "cassandra.log"
    assert Server(Path("db"), log=Path("logs/one.log")).log == tmp_path / "logs" / "one.log"


def test_a_server_that_was_never_started_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="Cassandra was never started — run `quorum up`"):
        _ = Server(tmp_path).url


def test_the_url_is_that_of_the_stored_endpoint(tmp_path: Path) -> None:
    chosen = choose(tmp_path / "endpoint.json")
    assert Server(tmp_path).url == f"cassandra://127.0.0.1:{chosen.port}"
