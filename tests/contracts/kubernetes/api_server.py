"""An API server with as much of Kubernetes as the programs of deploy/kubernetes use.

Objects are documents by path. There are no controllers: a test does what they would.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import certifi

TOKEN = "the-token-of-the-account"


class ApiServer:
    """The server's objects, and what it was asked.

    Attributes:
        objects: path -> document.
        asked: method and path of each request that changed something.
        allows: whether the account may make a request, by method and path.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.allows: Callable[[str, str], bool] = lambda method, path: True
        self.url = ""

    def put(self, folder: str, document: dict[str, Any]) -> dict[str, Any]:
        """Store an object, and return what is stored."""
        stored = deepcopy(document)
        self.objects[f"{folder}/{stored['metadata']['name']}"] = stored
        return stored

    def named(self, folder: str) -> dict[str, dict[str, Any]]:
        """Return the objects of a folder by name."""
        prefix = f"{folder}/"
        found = {p.removeprefix(prefix): d for p, d in self.objects.items() if p.startswith(prefix)}
        return {name: document for name, document in found.items() if "/" not in name}

    def answer(self, method: str, target: str, body: Any, kind: str) -> tuple[int, Any]:
        """Return the status and the document of an answer."""
        split = urlsplit(target)
        if not self.allows(method, split.path):
            return 403, {"message": f"the account may not {method} {split.path}"}
        if method != "GET":
            self.asked.append(f"{method} {split.path}")
        if method == "POST":
            if f"{split.path}/{body['metadata']['name']}" in self.objects:
                return 409, {"message": "already exists"}
            return 201, self.put(split.path, body)
        if method == "GET" and split.path not in self.objects:
            items = list(self.named(split.path).values())
            if not items and split.path.rsplit("/", 1)[0] and self._is_object(split.path):
                return 404, {"message": f"{split.path} not found"}
            wanted = parse_qs(split.query).get("labelSelector", [""])[0]
            return 200, {"items": [item for item in items if _selected(item, wanted)]}
        if split.path not in self.objects:
            return 404, {"message": f"{split.path} not found"}
        if method == "DELETE":
            return 200, self.objects.pop(split.path)
        if method == "PATCH":
            changed = deepcopy(self.objects[split.path])
            if "json-patch" in kind:
                if not _json_patch(changed, body):
                    return 422, {"message": "the server rejected our request: test failed"}
            else:
                _merge(changed, body)
            self.objects[split.path] = changed
        return 200, self.objects[split.path]

    def _is_object(self, path: str) -> bool:
        """Whether a path is that of an object: namespaced ones have an even number of parts."""
        parts = path.strip("/").split("/")
        after = parts.index("namespaces") + 2 if "namespaces" in parts else len(parts)
        return len(parts) - after == 2


def _selected(document: Any, selector: str) -> bool:
    labels = document["metadata"].get("labels", {})
    pairs = (part.split("=") for part in selector.split(",") if part)
    return all(labels.get(key) == value for key, value in pairs)


def _merge(node: Any, change: Any) -> None:
    for key, value in change.items():
        if value is None:
            node.pop(key, None)
        elif isinstance(value, dict) and isinstance(node.get(key), dict):
            _merge(node[key], value)
        else:
            node[key] = value


def _json_patch(document: Any, operations: Any) -> bool:
    for operation in operations:
        *folders, last = operation["path"].strip("/").split("/")
        node = document
        for key in folders:
            node = node[int(key)] if isinstance(node, list) else node[key]
        if operation["op"] == "test":
            if last not in node or node[last] != operation["value"]:
                return False
        elif operation["op"] == "replace" and last not in node:
            return False
        else:
            node[last] = operation["value"]
    return True


@contextmanager
def api_server(account: Path, namespace: str) -> Iterator[ApiServer]:
    """Run a server; writes the files of a service account to `account`."""
    account.mkdir(parents=True)
    (account / "token").write_text(TOKEN)
    (account / "namespace").write_text(namespace)
    shutil.copy(certifi.where(), account / "ca.crt")  # some certificate: the server has none
    server = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = 401, {"message": "Unauthorized"}
            if self.headers.get("Authorization") == f"Bearer {TOKEN}":
                status, document = server.answer(
                    self.command,
                    self.path,
                    json.loads(body or b"null"),
                    self.headers.get("Content-Type", ""),
                )
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_port}"
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
