"""One method of another deployment, over Serve's handle."""

from __future__ import annotations

import asyncio
from typing import Any


class RemoteMethod:
    """One method of another deployment, called over gRPC. Cancelling the caller cancels the call.

    Building one costs more than calling it: build it once.

    Args:
        handle: any handle on the deployment.
        method: name of the method.
    """

    def __init__(self, handle: Any, method: str) -> None:
        self._handle = handle.options(
            method_name=method,
            _by_reference=False,
            # Arguments and results are arrays and dataclasses of modules that both ends have.
            request_serialization="pickle",
            response_serialization="pickle",
        )

    async def __call__(self, *args: Any) -> Any:
        response = self._handle.remote(*args)
        try:
            return await response
        except asyncio.CancelledError:
            response.cancel()
            raise
