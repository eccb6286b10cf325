"""One simulation in a process of its own, so that decisions do not wait for it.

    python -m deciding.simulation

Reads one line of JSON from standard input: `tenant`, `plan` (a document), `last` and `limit_s`, and
writes the result as JSON. It runs at the lowest priority, on the stores that the settings name, and
ends as soon as its standard input does: when the process that started it ends.

Exit code 3: PostgreSQL does not answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from typing import Any

import asyncpg

from deciding.simulation.models import ArtifactModels
from deciding.simulation.run import simulate
from fraud.errors import Unavailable
from fraud.plan import Plan
from models.store.location import store_of
from settings.settings import Settings

NO_STORE = 3
"""Exit code: PostgreSQL does not answer."""


def main() -> None:
    """Simulate once."""
    os.nice(19)
    task = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        document = asyncio.run(_simulated(task))
    except (OSError, asyncpg.PostgresError, Unavailable) as error:
        print(f"no simulation: {type(error).__name__}", file=sys.stderr)
        sys.exit(NO_STORE)
    sys.stdout.write(json.dumps(document))


async def _simulated(task: dict[str, Any]) -> dict[str, Any]:
    settings = Settings.load()
    url = settings.database_replica_url or settings.database_url
    if url is None:
        raise ValueError("DATABASE_URL must be set")
    result = await simulate(
        url.get_secret_value(),
        task["tenant"],
        Plan.from_document(task["plan"]),
        task["last"],
        ArtifactModels(store_of(settings)),
        limit_s=task["limit_s"],
    )
    return result.to_document()


def _end_with_parent() -> None:
    # Without Python's own buffer, whose lock a thread must not hold when the interpreter ends.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
