"""Bodies that are not JSON."""

from __future__ import annotations

import pytest

from serve_app.http.problems import MalformedBody
from tests.contracts.reading import (
    READER,
)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"{}{}", b"[" * 50_000, b'{"a":' * 50_000, b"\x00"],
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        READER.transaction(body, "acme")
