"""The console without Ray and stores, over `tests.contracts.job_front`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from bulk.jobs.job import Job
from fraud.access.keys import ApiKey, hash_key
from fraud.errors import StoreUnavailable
from serve_app.console.parts import Parts
from serve_app.console.session import form_token
from serve_app.console.site import Site
from serve_app.gateway.auth import Authenticator, KeyRecord
from tests.contracts.console_jobs import NOW, good_match
from tests.contracts.front import KEY, PEPPER
from tests.contracts.job_front import OTHER_KEY, JobFront

__all__ = ["HOST", "KEY", "OTHER_KEY", "POOR_KEY", "TOKEN", "Console"]

HOST = "http://console.test"
OWN = {"origin": HOST, "accept": "text/html"}
"""Headers that a browser sends with our own pages' forms."""
POOR_KEY = ApiKey("pppppppppppp", "p" * 43)
"""A key of `acme` without the scope `jobs`."""
TOKEN = form_token(PEPPER, str(KEY))
"""The token of the forms of `KEY`."""


class Console(JobFront):
    """A Site with everything behind it in memory and in a folder.

    Attributes:
        down: PostgreSQL does not answer.
    """

    def __init__(self, folder: Path, **limits: Any) -> None:
        super().__init__(folder, most_open=100, **limits)
        self.match = good_match()
        self.down = False
        hashed = hash_key(PEPPER, POOR_KEY)
        self.keys[POOR_KEY.key_id] = KeyRecord(
            POOR_KEY.key_id, "acme", "standard", ["decide", "read"], hashed, None, None
        )
        authenticate = Authenticator(self.find_key, PEPPER).authenticate
        self.site = Site(Parts(authenticate=authenticate, jobs=self.jobs, pepper=PEPPER))

    async def find_key(self, key_id: str) -> KeyRecord | None:
        if self.down:
            raise StoreUnavailable("PostgreSQL is away")
        return await super().find_key(key_id)

    async def wait(self, job: Job) -> None:
        """Add a job that waits, with what examining its file left."""
        await self.table.add(job)
        self.store.make(job.job_id).sample.write_bytes(b"sample")

    def revoke(self, key: ApiKey) -> None:
        """Revoke a key that was not used yet."""
        self.keys[key.key_id] = replace(self.keys[key.key_id], revoked_at=NOW)

    def browser(self, key: ApiKey | None = None) -> httpx.AsyncClient:
        """Return a browser without scripts, signed in with a key."""
        cookies = {} if key is None else {"quorum-key": str(key)}
        transport = httpx.ASGITransport(self.site)
        return httpx.AsyncClient(transport=transport, base_url=HOST, cookies=cookies, headers=OWN)
