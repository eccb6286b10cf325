"""Bodies and headers of requests."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest

from serve_app.gateway.errors import CallerGone
from serve_app.http import exchange
from serve_app.http.exchange import Body, Head
from serve_app.http.problems import HttpProblem

pytestmark = pytest.mark.virtual_time


def receiver(*chunks: bytes, disconnect: bool = False, hang: bool = False) -> Any:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": c, "more_body": i + 1 < len(chunks) or disconnect or hang}
        for i, c in enumerate(chunks)
    ]
    if disconnect:
        messages.append({"type": "http.disconnect"})

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.sleep(10)
        return messages.pop(0)

    receive.left = messages  # type: ignore[attr-defined]
    return receive


NO_LENGTH = Head([])


async def test_a_body_in_pieces_is_put_together() -> None:
    assert await Body(receiver(b"ab", b"", b"cd"), NO_LENGTH).read(4) == b"abcd"
    assert await Body(receiver(b""), NO_LENGTH).read(4) == b""


async def test_an_announced_giant_is_refused_unread_and_not_waited_for() -> None:
    receive = receiver(b"x")
    body = Body(receive, Head([(b"content-length", b"99999999999")]))
    with pytest.raises(HttpProblem) as caught:
        await body.read(1000)
    assert caught.value.slug == "body-too-large"
    await body.discard()
    assert len(receive.left) == 1


async def test_a_body_is_handed_on_piece_by_piece() -> None:
    body = Body(receiver(b"ab", b"", b"cd"), NO_LENGTH)
    assert not body.is_read
    assert [chunk async for chunk in body.chunks(4, 1.0)] == [b"ab", b"", b"cd"]
    assert body.is_read


async def test_pieces_are_capped_and_waited_for_within_reason() -> None:
    for body, slug in (
        (Body(receiver(b"ab", b"cd"), NO_LENGTH), "body-too-large"),
        (Body(receiver(b"x"), Head([(b"content-length", b"4")])), "body-too-large"),
        (Body(receiver(b"a", hang=True), NO_LENGTH), "timeout-reading-body"),
    ):
        with pytest.raises(HttpProblem) as caught:
            _ = [chunk async for chunk in body.chunks(3, 5.0)]
        assert caught.value.slug == slug
    with pytest.raises(CallerGone):
        _ = [c async for c in Body(receiver(b"a", disconnect=True), NO_LENGTH).chunks(3, 5.0)]


async def test_what_is_left_of_a_refused_body_is_read_within_reason() -> None:
    receive = receiver(*[b"x" * 100] * 50)
    body = Body(receive, NO_LENGTH)
    with pytest.raises(HttpProblem):
        await body.read(250)
    await body.discard()
    assert not receive.left


async def test_the_connection_is_closed_if_more_of_a_useless_body_would_come() -> None:
    small = receiver(*[b"x" * 100] * 50)
    assert await Body(small, NO_LENGTH).give_up() == ()
    assert not small.left
    large = receiver(*[b"x" * (1 << 20)] * 10)
    assert await Body(large, NO_LENGTH).give_up() == ((b"connection", b"close"),)
    assert len(large.left) == 2
    announced = receiver(b"x")
    head = Head([(b"content-length", b"99999999999")])
    assert await Body(announced, head).give_up() == ((b"connection", b"close"),)
    assert len(announced.left) == 1


async def test_a_client_that_leaves_is_noticed() -> None:
    with pytest.raises(CallerGone):
        await Body(receiver(b"x", disconnect=True), NO_LENGTH).read(100)
    await Body(receiver(b"x", disconnect=True), NO_LENGTH).discard()


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_TIMEOUT_S", 0.02)
    with pytest.raises(HttpProblem) as caught:
        await Body(receiver(b"x", hang=True), NO_LENGTH).read(100)
    assert caught.value.slug == "timeout-reading-body"
    assert (b"connection", b"close") in caught.value.headers
    await Body(receiver(b"x", hang=True), NO_LENGTH).discard()


@pytest.mark.parametrize("chunks", [(), (b"x",)])
async def test_nothing_is_waited_for_twice(
    chunks: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_TIMEOUT_S", 0.02)
    body = Body(receiver(*chunks, hang=True), Head([(b"content-length", b"200")]))
    async with asyncio.timeout(5):
        with pytest.raises(HttpProblem) as caught:
            await body.read(1000)
    assert caught.value.slug == "timeout-reading-body"
    assert (b"connection", b"close") in caught.value.headers
    monkeypatch.setattr(exchange, "BODY_TIMEOUT_S", 60.0)
    async with asyncio.timeout(5):
        await body.discard()


class Arrived:
    """A request that uvicorn has received whole; its body comes after some turns of the loop."""

    def __init__(self) -> None:
        self.message_event = asyncio.Event()
        self.message_event.set()

    async def receive(self) -> dict[str, Any]:
        for _ in range(5):
            await asyncio.sleep(0)
        return {"type": "http.request", "body": b"all", "more_body": False}


async def test_what_has_arrived_is_read_without_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "BODY_TIMEOUT_S", 0.0)
    assert await Body(Arrived().receive, NO_LENGTH).read(100) == b"all"


@pytest.mark.parametrize("protocol", ["h11_impl", "httptools_impl"])
def test_uvicorn_still_notes_on_a_request_that_a_message_has_arrived(protocol: str) -> None:
    cycle = import_module(f"uvicorn.protocols.http.{protocol}").RequestResponseCycle
    assert "message_event" in cycle.__init__.__code__.co_names


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"\xb2"])
def test_a_length_that_is_no_number_is_not_believed(length: bytes) -> None:
    Body(receiver(b""), Head([(b"content-length", length)]))


@pytest.mark.parametrize(
    ("given", "kept"),
    [(b"abc-1", True), (b"x" * 128, True), (b"x" * 129, False), (b"a b", False), (b"\xe4", False)],
)
def test_a_request_id_is_kept_if_it_is_one(given: bytes, kept: bool) -> None:
    head = Head([(b"x-request-id", given)])
    assert (head.request_id == given.decode("latin-1")) == kept
    assert head.request_id.isascii()


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ([], ""),
        ([(b"x-api-key", b" qk_a_b ")], "qk_a_b"),
        ([(b"authorization", b"Bearer qk_a_b")], "qk_a_b"),
        ([(b"authorization", b"bearer  qk_a_b ")], "qk_a_b"),
        ([(b"authorization", b"Basic cWs6")], ""),
        ([(b"x-api-key", b"\xff\xfe"), (b"authorization", b"Bearer qk_a_b")], "\xff\xfe"),
    ],
)
def test_the_credential_is_the_key_else_the_bearer_token(
    headers: list[tuple[bytes, bytes]], credential: str
) -> None:
    assert Head(headers).credential == credential


@pytest.mark.parametrize("protocol", ["h11_impl", "httptools_impl"])
def test_uvicorn_notes_on_a_request_that_its_client_has_left(protocol: str) -> None:
    """uvicorn does not document this. If it fails after an upgrade, see `client_has_left`."""
    module = import_module(f"uvicorn.protocols.http.{protocol}")
    request = object.__new__(module.RequestResponseCycle)
    body = Body(request.receive, Head([]))
    request.disconnected = False
    assert not body.client_has_left()
    request.disconnected = True
    assert body.client_has_left()
    names = module.RequestResponseCycle.__init__.__code__.co_names
    assert "disconnected" in names, "no longer set by uvicorn"
