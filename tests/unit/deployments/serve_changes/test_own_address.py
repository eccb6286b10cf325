"""Serve's replicas listen where their node does. If this fails after an upgrade of Ray, replicas
listen at every address of the machine: look at `deployments/serve_changes/own_address.py`."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from deployments.serve_changes import own_address

_REPLICA = """
import deployments.serve_changes.own_address as own
import ray.serve._private.replica as replica
print(replica.add_port_to_grpc_server is own._add_port_here)
"""


def test_serves_replica_takes_the_function_that_is_put_in_place():
    done = subprocess.run([sys.executable, "-c", _REPLICA], capture_output=True, text=True)
    assert done.stdout.split() == ["True"], done.stderr


def test_rays_own_function_takes_a_server_and_an_address():
    assert list(inspect.signature(own_address._add_port).parameters) == ["server", "address"]


@pytest.mark.parametrize(
    ("address", "own", "listens"),
    [
        ("[::]:0", "127.0.0.1", "127.0.0.1:0"),
        ("0.0.0.0:81", "[fd00::1]", "[fd00::1]:81"),
        ("10.0.0.1:82", "127.0.0.1", "10.0.0.1:82"),
    ],
)
def test_only_an_address_that_means_all_is_replaced(monkeypatch, address, own, listens):
    asked = []
    monkeypatch.setattr(own_address, "_own_address", lambda: own)
    monkeypatch.setattr(own_address, "_add_port", lambda server, at: asked.append(at) or 1)
    assert own_address._add_port_here(None, address) == 1
    assert asked == [listens]
