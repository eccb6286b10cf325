"""Labels of a node, as Ray reads them."""

from __future__ import annotations

from pathlib import Path

from ray._private.label_utils import parse_node_labels_string

from cluster.node.labels import PORT_LABEL, VERSION_LABEL, labels_text
from cluster.node.node import Node
from fraud.record import CODE_VERSION
from settings.settings import Settings


def test_ray_reads_the_labels_of_a_node_back(tmp_path: Path) -> None:
    """Ray refuses names and values with characters that it does not allow."""
    labels = Node.of(Settings(home=tmp_path, node_port=8011)).labels
    assert labels == {PORT_LABEL: "8011", VERSION_LABEL: CODE_VERSION}
    assert parse_node_labels_string(labels_text(labels)) == labels
