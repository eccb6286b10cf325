"""Ray labels of a node, by which other nodes know it."""

from __future__ import annotations

from collections.abc import Mapping

PORT_LABEL = "quorum-node-port"
"""Port of the node's own metrics and readiness."""
VERSION_LABEL = "quorum-version"


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as `ray start --labels` takes them.

    >>> labels_text({"a": "1", "b": "2"})
    'a=1,b=2'
    """
    return ",".join(f"{name}={value}" for name, value in labels.items())
