"""What the reports of canaries recommend, without decisions having to wait for them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from fraud.errors import Unavailable
from fraud.plan import Plan
from fraud.variant import HOUSE

TIME_LIMIT_S = 120.0
"""A report that takes longer is given up."""

_PROGRAM = "deciding.steward.recommendation"

Since = Callable[[str, Plan, str], Awaitable[datetime | None]]
"""(owner, plan, arm) -> since when it decides beside its baseline; None: it does no longer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is made of.

    Attributes:
        tenant: whose payments.
        plan: name of the plan; all of its versions count, as each step of a canary is one.
        arm: the way to the canary.
        since: when decisions begin to count, ISO 8601.
    """

    tenant: str
    plan: str
    arm: str
    since: str


class Recommender:
    """Has reports of canaries made. A report reads many decisions and takes a core for seconds, so
    that it is made in a process of its own.

    Args:
        since: see `Since`.
        tenant: the home tenant, whose payments stand for all that the house's plan decides.
        limit_s: longest time of a report.
    """

    def __init__(self, since: Since, tenant: str, limit_s: float = TIME_LIMIT_S) -> None:
        self._since = since
        self._tenant = tenant
        self._limit_s = limit_s

    async def recommend(self, owner: str, plan: Plan, arm: str) -> str | None:
        """See `deciding.steward.steward.Recommend`.

        Raises:
            Unavailable: the report could not be made; the message says why.
        """
        since = await self._since(owner, plan, arm)
        if since is None:
            return None
        tenant = self._tenant if owner == HOUSE else owner
        request = Request(tenant, plan.name, arm, since.isoformat())
        answer = await self._run(json.dumps(asdict(request)).encode())
        found = json.loads(answer)["recommendation"]
        return None if found is None else str(found)

    async def _run(self, request: bytes) -> bytes:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _PROGRAM), stdin=pipe, stdout=pipe, stderr=pipe
        )
        try:
            async with asyncio.timeout(self._limit_s):
                answer, errors = await child.communicate(request)
        except TimeoutError:
            raise Unavailable(f"a canary's report took over {self._limit_s:g} s") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode:
            last = errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise Unavailable(f"a canary's report failed: {last[:500]}")
        return answer
