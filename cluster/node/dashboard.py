"""Ray's dashboard over HTTP, which `serve deploy`, `serve status` and `serve shutdown` use as well.

This module sends the same requests without importing ray, which takes seconds.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from cluster.errors import CommandFailed
from cluster.node import ray_token

_APPLICATIONS = "/api/serve/applications/"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard at `url`, e.g. `http://127.0.0.1:8265`."""

    url: str

    def answers(self) -> bool:
        """Return whether the dashboard answers."""
        try:
            self._request("GET", "/api/version", timeout_s=3)
        except (OSError, http.client.HTTPException, CommandFailed):
            return False
        return True

    def serve_details(self) -> dict[str, Any]:
        """Return all of Serve's state: `applications`, `proxies`, `controller_info`, ...

        Raises:
            CommandFailed: the dashboard answers with an error.
            OSError: it does not answer.
        """
        found: dict[str, Any] = self._request("GET", _APPLICATIONS, timeout_s=30)
        return found

    def deploy(self, config: dict[str, Any]) -> None:
        """Submit a Serve configuration, as `serve deploy` does. Returns before it is carried out.

        Raises:
            CommandFailed: the configuration is refused.
            OSError: the dashboard does not answer.
        """
        self._request("PUT", _APPLICATIONS, config, timeout_s=120)

    def shut_down_serve(self, wait_s: float) -> None:
        """Ask Serve to delete all applications and end, as `serve shutdown` does, and wait for it.

        Raises:
            CommandFailed: the dashboard answers with an error.
            TimeoutError: it is not done after `wait_s` seconds; it continues.
        """
        self._request("DELETE", _APPLICATIONS, timeout_s=max(0.1, wait_s))

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 — an http:// address of ours
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **ray_token.headers()},
        )
        try:
            with _DIRECT.open(request, timeout=timeout_s) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            reason = _last_line(error.read().decode(errors="replace"))
            raise CommandFailed(
                f"Ray refused: {reason}", "`serve config` shows the running configuration"
            ) from error
        return json.loads(text) if text.startswith((b"{", b"[")) else None


# Proxies named by the environment are not for the loopback address.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _last_line(text: str) -> str:
    """Return the last line of a traceback, shortened."""
    with contextlib.suppress(ValueError, AttributeError):
        text = str(json.loads(text).get("msg", text))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else "no reason given")[:300]
