"""A name server on loopback that knows one name, as Docker's for the containers of a service."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

_QUERY, _ANSWER = 12, b"\xc0\x0c\x00\x01\x00\x01"
_A, _NO_SUCH_NAME = 1, 3


class NameServer:
    """Answers questions about `name` with `addresses`, which may be changed at any time."""

    def __init__(self, name: str, addresses: list[str]) -> None:
        self.name, self.addresses = name, addresses
        self.port = 0

    def answer(self, question: bytes) -> bytes:
        """Return the answer to one question of a resolver (RFC 1035)."""
        labels, at = [], _QUERY
        while size := question[at]:
            labels.append(question[at + 1 : at + 1 + size].decode().lower())
            at += 1 + size
        asked = question[_QUERY : at + 5]
        (kind,) = struct.unpack_from(">H", question, at + 1)
        known = ".".join(labels) == self.name and self.addresses
        found = self.addresses if known and kind == _A else []
        flags = 0x8180 | (0 if known else _NO_SUCH_NAME)
        head = question[:2] + struct.pack(">5H", flags, 1, len(found), 0, 0)
        records = (
            _ANSWER + struct.pack(">IH", 1, 4) + IPv4Address(address).packed for address in found
        )
        return head + asked + b"".join(records)


@contextmanager
def name_server(name: str, addresses: list[str]) -> Iterator[NameServer]:
    """Serve on a free UDP port of 127.0.0.1 until the block ends."""
    names = NameServer(name, addresses)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            question, connection = self.request
            connection.sendto(names.answer(question), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        names.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield names
        finally:
            server.shutdown()
