"""Errors about taken ports name the process that holds them."""

from __future__ import annotations

import socket

import pytest

from cluster.errors import CommandFailed
from cluster.node.ports import require_free


def test_a_taken_port_is_named_with_its_purpose_and_holder() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(CommandFailed, match=rf"port {port} \(front\) is taken by .*pid"):
            require_free({port: "front"})
    require_free({port: "front"})
