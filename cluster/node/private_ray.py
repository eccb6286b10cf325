"""Ray that belongs to its user alone: imported for its effect, before `ray` is.

A client of Ray can have it run programs. These variables decide who may be a client, unless the
environment sets them otherwise. They must be set before a process imports Ray, in processes that
start a node and in processes that connect to one. Importing this package sets them. So does every
Python of the environment that `make` installs it in (`quorum.pth`): a plain `serve deploy` or
`ray status` then sends the token.
"""

from __future__ import annotations

import os

VARIABLES = {
    # Every call carries the token of `~/.ray/auth_token` (or RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH),
    # which this user alone can read.
    "RAY_AUTH_MODE": "token",
    # A node of one machine. Ray then takes 127.0.0.1 for its address, as it does on macOS, where
    # this is the default: all its servers listen there and nowhere else, and there is no Ray client
    # server. The name of the variable is Ray's.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}

for _name, _value in VARIABLES.items():
    os.environ.setdefault(_name, _value)
