"""An app under measurement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psutil

from loadtests.noop_app import ANSWER
from loadtests.payments import Playlist
from loadtests.wire import Endpoint

BATCH_ROWS = 500

QUORUM, TUNED, DOCS, NO_OP = "quorum", "tuned", "docs", "no-op"
APPS = (QUORUM, TUNED, DOCS, NO_OP)


@dataclass(frozen=True, slots=True)
class App:
    """A running app.

    Attributes:
        name: one of `APPS`.
        url: the address for single decisions.
        api_key: "" if it needs none.
        processes: returns its processes as they are now, without stores.
        playlist: the payments to send.
        node: apps on one node are stopped together.
        decides: whether it answers with decisions.
        takes_batches: whether it has `<url>/batch`.
        environment: with which to work on its stores, if it has its own.
    """

    name: str
    url: str
    api_key: str
    processes: Callable[[], list[psutil.Process]]
    playlist: Playlist
    node: str
    decides: bool = True
    takes_batches: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    def single(self) -> Endpoint:
        """Return the endpoint for one payment a request."""
        if not self.decides:
            return Endpoint(self.url, "", lambda: (self.playlist.take().body, ANSWER), rows=0)
        return Endpoint(self.url, self.api_key, self._decision)

    def batch(self, rows: int = BATCH_ROWS) -> Endpoint:
        """Return the endpoint for `rows` payments a request."""

        def prepare() -> tuple[bytes, bytes]:
            orders, body = self.playlist.take_batch(rows)
            return body, b'"transaction_id":"%b"' % orders[-1].transaction_id.encode()

        return Endpoint(f"{self.url}/batch", self.api_key, prepare, rows)

    def _decision(self) -> tuple[bytes, bytes]:
        order = self.playlist.take()
        return order.body, b'"transaction_id":"%b"' % order.transaction_id.encode()
