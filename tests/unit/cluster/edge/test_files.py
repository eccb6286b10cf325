"""Names of the files of the edge."""

from __future__ import annotations

from pathlib import Path

from cluster.edge.files import EdgeFiles

#: Longest path of a Unix socket that HAProxy takes.
_LONGEST = 97


def test_every_name_is_its_own_and_short_enough_for_a_socket() -> None:
    place = EdgeFiles(Path("/tmp/quorum-01234567"))
    paths = [place.config, place.commands, place.keeper, place.lock, place.log]
    assert len(set(paths)) == len(paths)
    assert {path.parent for path in paths} == {place.folder}
    assert max(len(str(path)) for path in paths) < _LONGEST
