"""The Kubernetes API from inside a pod, with the standard library alone.

The token, the certificate and the address are those that Kubernetes gives every pod whose service
account it mounts.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_TIMEOUT_S = 10.0


class Refused(Exception):
    """An answer of the API that is not a success.

    Attributes:
        status: HTTP status; 404: there is no such object, 409: it exists already, or was changed.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class KubernetesApi:
    """Reads and writes objects as JSON.

    Args:
        url: address of the API server.
        account: folder with the files `token`, `ca.crt` and `namespace`. The token is read for
            each request, because Kubernetes replaces it.
    """

    def __init__(self, url: str, account: Path = SERVICE_ACCOUNT) -> None:
        self._url = url.rstrip("/")
        self._token = account / "token"
        self.namespace = (account / "namespace").read_text(encoding="utf-8").strip()
        certificate = account / "ca.crt"
        self._tls = (
            ssl.create_default_context(cafile=str(certificate)) if url[:5] == "https" else None
        )

    @classmethod
    def of_this_pod(cls) -> KubernetesApi:
        """Return the API of the cluster that this pod runs in."""
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
        return cls(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}")

    def get(self, path: str, **query: str) -> Any:
        """Return an object, or a list of objects, at a path such as `/api/v1/persistentvolumes`.

        Raises:
            Refused, OSError: the server refuses, or does not answer.
        """
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path)

    def create(self, path: str, document: Any) -> Any:
        """Create an object. See `get`."""
        return self._call("POST", path, document)

    def patch(self, path: str, change: Any, kind: str = MERGE_PATCH) -> Any:
        """Change an object by a merge patch or a JSON patch. See `get`."""
        return self._call("PATCH", path, change, kind)

    def delete(self, path: str) -> None:
        """Delete an object and what belongs to it. One that is gone already is no error."""
        try:
            self._call("DELETE", path, {"propagationPolicy": "Background"})
        except Refused as refused:
            if refused.status != 404:
                raise

    def _call(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 — the address is ours
            self._url + path,
            None if body is None else json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {self._token.read_text(encoding='utf-8').strip()}",
                "Accept": "application/json",
                "Content-Type": kind,
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=_TIMEOUT_S, context=self._tls
            ) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(error.code, _message(error)) from None


def _message(error: urllib.error.HTTPError) -> str:
    text = error.read(65536).decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return " ".join(text.split())[:200] or str(error.reason)
