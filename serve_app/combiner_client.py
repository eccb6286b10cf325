"""Asking the combiner: Ray's own errors become the house's, a call lost with its replica is made
again once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException

from deployments.combiner import Readiness
from fraud.decision import DecisionBatch
from fraud.errors import Overloaded, Unavailable
from fraud.payment.batch import TransactionBatch

logger = logging.getLogger(__name__)
T = TypeVar("T")


class CombinerClient:
    """The combiner as the front sees it.

    Args:
        decide: `Combiner.decide` over a handle.
        ready: `Combiner.ready` over a handle.
    """

    def __init__(
        self,
        decide: Callable[[TransactionBatch, bool], Awaitable[DecisionBatch]],
        ready: Callable[[], Awaitable[Readiness]],
    ) -> None:
        self._decide = decide
        self._ready = ready

    async def decide(self, batch: TransactionBatch, patient: bool) -> DecisionBatch:
        """See Decider.decide.

        A replica that died may have decided without answering. Asking another is safe: features
        count a transaction id once, and a decision that nobody saw binds nobody.

        Raises:
            Overloaded, Unavailable: the combiner takes no more, or there is none.
            Exception: whatever it raised, as Ray hands it over.
        """
        try:
            return await _translated(self._decide(batch, patient))
        except _Lost:
            logger.warning("a call was lost with its replica of the combiner; asking another")
            return await _translated(self._decide(batch, patient))

    async def ready(self) -> Readiness:
        """What the combiner says of itself.

        Raises:
            Unavailable: it cannot decide, or does not answer.
        """
        readiness = await _translated(self._ready())
        if not readiness.ready:
            raise Unavailable("; ".join(readiness.problems))
        return readiness


class _Lost(Unavailable):
    """The call was under way when its replica went."""


async def _translated(call: Awaitable[T]) -> T:
    try:
        return await call
    except RayTaskError:
        raise  # raised by the combiner's own code: problems.unwrapped finds the cause
    except BackPressureError as error:
        raise Overloaded("the combiner takes no more requests", 1.0) from error
    except RayServeException as error:
        raise Unavailable(type(error).__name__) from error
    except (RayError, grpc.aio.AioRpcError) as error:
        raise _Lost(type(error).__name__) from error
