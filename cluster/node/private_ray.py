"""Makes Ray accessible to its user only: imported for its effect, before `ray` is.

A client of Ray can run programs with it. These variables decide who may be a client, unless the
environment sets them otherwise. They must be set before a process imports Ray, both to start a node
and to connect to one. Importing `cluster` sets them. `cluster/install/quorum.pth` does so in every
Python of the environment, so that a plain `serve deploy` or `ray status` sends the token too.
"""

from __future__ import annotations

import os

VARIABLES = {
    # Every call carries the token of `~/.ray/auth_token` (or RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH),
    # which only this user can read.
    "RAY_AUTH_MODE": "token",
    # A cluster of one machine. As on macOS, where this is the default, Ray then uses the address
    # 127.0.0.1: all its servers listen there only, and there is no Ray client server. The name of
    # the variable is Ray's.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}

for _name, _value in VARIABLES.items():
    os.environ.setdefault(_name, _value)
