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
    """One of those that are compared, up and answering.

    Attributes:
        name: one of `APPS`.
        url: where single decisions are asked for.
        api_key: "" if it asks for none.
        processes: its own ones as they are now, the stores not among them.
        playlist: the payments that it is sent.
        node: apps of one node are held still together, or not at all.
        decides: whether it answers with decisions.
        takes_batches: whether it has `<url>/batch`.
        environment: of a process that works on its stores, where it has ones of its own.
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
        """A payment a request."""
        if not self.decides:
            return Endpoint(self.url, "", lambda: (self.playlist.take().body, ANSWER), rows=0)
        return Endpoint(self.url, self.api_key, self._decision)

    def batch(self, rows: int = BATCH_ROWS) -> Endpoint:
        """`rows` payments a request."""

        def prepare() -> tuple[bytes, bytes]:
            orders, body = self.playlist.take_batch(rows)
            return body, b'"transaction_id":"%b"' % orders[-1].transaction_id.encode()

        return Endpoint(f"{self.url}/batch", self.api_key, prepare, rows)

    def _decision(self) -> tuple[bytes, bytes]:
        order = self.playlist.take()
        return order.body, b'"transaction_id":"%b"' % order.transaction_id.encode()
