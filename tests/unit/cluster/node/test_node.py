"""What a node is by its settings, and its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.edge.install import PROGRAM
from cluster.home.private_folder import remove_private
from cluster.node.node import Node
from settings.settings import Settings


@pytest.mark.parametrize(
    ("host", "head", "address", "url"),
    [
        ("127.0.0.1", None, "127.0.0.1:6379", "http://127.0.0.1:8000"),
        ("10.0.0.5", None, "10.0.0.5:6379", "http://10.0.0.5:8000"),
        ("10.0.0.5", "10.0.0.1", "10.0.0.1:6379", "http://10.0.0.5:8000"),
        ("fd00::5", "[fd00::1]:7000", "[fd00::1]:7000", "http://[fd00::5]:8000"),
    ],
)
def test_a_node_is_at_its_own_address_and_its_ray_at_the_heads(
    tmp_path: Path, host: str, head: str | None, address: str, url: str
) -> None:
    node = Node.of(Settings(home=tmp_path, host=host, head=head))
    assert (node.address, node.url) == (address, url)


def test_a_start_after_a_killed_leave_can_be_ready(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.leaving.parent.mkdir(parents=True)
    settings.leaving.touch()
    node = Node.of(settings)
    try:
        node.prepare()
        assert (node.edge / PROGRAM).exists()
        assert not settings.leaving.exists()
    finally:
        remove_private(node.folder)
