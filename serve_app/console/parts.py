"""The parts behind the pages, passed in so that pages run without Ray and without stores."""

from __future__ import annotations

from dataclasses import dataclass, field

from serve_app.gateway.jobs.jobs import Jobs
from serve_app.http.services import Authenticate


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts behind the pages.

    Attributes:
        authenticate: returns the owner of an API key, or raises.
        jobs: the jobs of all tenants.
        pepper: the secret that tokens of forms depend on; no text of this shows it.
    """

    authenticate: Authenticate
    jobs: Jobs
    pepper: str = field(repr=False)
