"""Calls to the Combiner: errors of Ray become errors of ours, and a call that is lost with its
replica is retried once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException

from deployments.readiness import Readiness
from fraud.decision import Decisions
from fraud.errors import Overloaded, Unavailable
from fraud.payment.batch import TransactionBatch

logger = logging.getLogger(__name__)
T = TypeVar("T")


class CombinerClient:
    """The Combiner as the gateway sees it.

    Args:
        decide: calls `Combiner.decide`.
        ready: calls `Combiner.ready` of this machine.
    """

    def __init__(
        self,
        decide: Callable[[TransactionBatch, bool], Awaitable[Decisions]],
        ready: Callable[[], Awaitable[Readiness]],
    ) -> None:
        self._decide = decide
        self._ready = ready

    async def decide(self, batch: TransactionBatch, patient: bool) -> Decisions:
        """See Decider.decide.

        A replica that died may have decided without answering. A retry on another one is safe:
        features count a transaction id once, and a decision that no client saw has no effect.

        Raises:
            Overloaded, Unavailable: the Combiner accepts no more calls, or there is none.
            Exception: raised by the Combiner, as Ray delivers it.
        """
        try:
            return await _translated(self._decide(batch, patient))
        except _Lost:
            logger.warning("a call was lost with its Combiner replica; retrying on another")
            return await _translated(self._decide(batch, patient))

    async def ready(self) -> Readiness:
        """Return the readiness of the Combiner.

        Raises:
            Unavailable: it cannot decide, or does not answer.
        """
        readiness = await _translated(self._ready())
        if not readiness.ready:
            raise Unavailable("; ".join(readiness.problems))
        return readiness


class _Lost(Unavailable):
    """The call was in flight when its replica died."""


async def _translated(call: Awaitable[T]) -> T:
    try:
        return await call
    except RayTaskError:
        raise  # raised by the Combiner's own code: gateway.errors.unwrapped finds the cause
    except BackPressureError as error:
        raise Overloaded("the Combiner accepts no more requests", 1.0) from error
    except RayServeException as error:
        raise Unavailable(type(error).__name__) from error
    except (RayError, grpc.aio.AioRpcError) as error:
        raise _Lost(type(error).__name__) from error
