"""The ceiling of the stack: a raw ASGI app that reads a request and answers a few bytes.

    python -m loadtests.noop_app up      deploys it beside the running applications, as `noop`
    python -m loadtests.noop_app down    removes it

A request takes the usual path (HAProxy, a Serve replica) and does nothing there. Deploying the app
leaves other applications alone, because Serve adds and deletes applications by name.

Run it with the `RAY_` variables of the node: where an app is built, they decide how its replicas
are reached.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

APPLICATION = "noop"
ROUTE = "/noop"
ANSWER = b'{"ok":true}'


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Read the whole request and answer `ANSWER`. An ASGI application."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body", False):
        pass
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(ANSWER)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def build() -> Any:
    """Return the app. Serve expects a function that makes an app, not the app itself."""
    return answer


def up(address: str) -> None:
    """Deploy the app on the Ray cluster at `address` and wait until it answers."""
    import ray
    from ray import cloudpickle, serve

    # Replicas run elsewhere and need not find this module.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    deployment = serve.deployment(
        name="Noop",
        num_replicas=1,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0.1},
    )(serve.ingress(build)())
    serve.run(deployment.bind(), name=APPLICATION, route_prefix=ROUTE)


def down(address: str) -> None:
    """Remove the app, if it is there."""
    import ray
    from ray import serve

    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    serve.delete(APPLICATION)


def main() -> int:
    """Run `up` or `down` on the cluster at RAY_ADDRESS."""
    commands = {"up": up, "down": down}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        print("usage: python -m loadtests.noop_app up|down", file=sys.stderr)
        return 2
    commands[sys.argv[1]](os.environ.get("RAY_ADDRESS", "127.0.0.1:6379"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
