"""Gives customers a history, for an app without batch requests, through the feature service.

    python -m loadtests.bench.apps.warm < batches

Each line is the body of a batch request.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from features.service import FeatureService
from loadtests.bench.apps.payment import Payments, to_batch
from settings.settings import Settings


async def warm(settings: Settings, bodies: Iterable[bytes]) -> int:
    """Observe every payment of the bodies, in order. Returns their number."""
    service = await FeatureService.connect(settings)
    seen = 0
    try:
        for body in bodies:
            batch = to_batch(Payments.model_validate_json(body).transactions, settings.tenant)
            features = await service.fetch(batch)
            if any(features.degraded):
                missing = sorted({why for row in features.degraded for why in row})
                raise RuntimeError(f"the stores do not take payments: {', '.join(missing)}")
            seen += len(batch)
    finally:
        await service.close()
    return seen


if __name__ == "__main__":
    print(asyncio.run(warm(Settings.load(), sys.stdin.buffer)))
