"""The parts behind the pages, passed in so that pages run without Ray and without stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from serve_app.gateway.auth import Principal
from serve_app.gateway.jobs import Jobs

Authenticate = Callable[[str], Awaitable[Principal]]
"""API key -> its owner; raises Unauthenticated or StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that came with a file.

    Attributes:
        fields: name -> value of the other fields; the last of a repeated name.
        file_name: as the browser gave it; "" if no file was chosen.
    """

    fields: Mapping[str, str]
    file_name: str


Receive = Callable[[Request, Path], Awaitable[Sent]]
"""Reads a form and writes its file to a path; raises HttpProblem, InvalidInput or CallerGone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts behind the pages.

    Attributes:
        authenticate: see `Authenticate`.
        jobs: the jobs of all tenants.
        receive: see `Receive`.
        pepper: the secret that tokens of forms depend on.
    """

    authenticate: Authenticate
    jobs: Jobs
    receive: Receive
    pepper: str
