"""Folders of other users, and links, are not used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster.errors import CommandFailed
from cluster.home.private_folder import make_private, remove_private
from tests.contracts.stranger import needs_root


@needs_root
def test_a_folder_of_another_user_is_not_used(tmp_path: Path) -> None:
    theirs, link = tmp_path / "theirs", tmp_path / "link"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    link.symlink_to(tmp_path)
    with pytest.raises(CommandFailed, match="65534"):
        make_private(theirs)
    remove_private(theirs)
    assert theirs.exists()
    with pytest.raises(CommandFailed, match="symbolic link"):
        make_private(link)
