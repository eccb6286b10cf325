"""A route, declared once: the router, the OpenAPI document and the API reference follow from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Generic

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypeVar

from fraud.access.scopes import Scope
from serve_app.gateway.auth import Principal
from serve_app.http.exchange import ALWAYS, REQUEST_ID, Body, Head
from serve_app.http.reading.json_body import read_json
from serve_app.http.services import CommonServices, Services
from serve_app.http.wire.answers import encode

Json = dict[str, Any]
S = TypeVar("S", bound=CommonServices, default=Services)
"""The parts behind the routes of an application; `Call` alone is one of `decisions`."""

_ALWAYS = {name.decode(): value.decode() for name, value in ALWAYS}


@dataclass(frozen=True, slots=True)
class Call(Generic[S]):
    """A request as a handler sees it.

    Attributes:
        request: the request.
        services: the parts behind the routes.
        principal: the sender; None where the route needs no key.
        head: the headers that matter.
        body: of the request, not read yet.
    """

    request: Request
    services: S
    principal: Principal | None
    head: Head
    body: Body

    @property
    def tenant(self) -> str:
        """The tenant that the request is made for; only where the route needs a key."""
        assert self.principal is not None
        return self.principal.tenant

    @property
    def request_id(self) -> str | None:
        """The id of the request."""
        found: str | None = self.request.scope.get(REQUEST_ID)
        return found

    def path(self, name: str) -> str:
        """Return a parameter of the path."""
        value: str = self.request.path_params[name]
        return value

    async def json(self, max_bytes: int | None = None) -> Any:
        """Return the JSON body with its numbers as `Number`.

        Args:
            max_bytes: cap of the body; None: that of single requests.

        Raises:
            HttpProblem: 408, 413 or 415.
            MalformedBody: not JSON.
        """
        return read_json(await self.json_text(max_bytes))

    async def json_text(self, max_bytes: int | None = None) -> bytes:
        """Return the body as it came, if the request says that it is JSON.

        Args:
            max_bytes: see `json`.

        Raises:
            HttpProblem: 408, 413 or 415.
        """
        self.head.require_json()
        cap = self.services.limits.max_body_bytes if max_bytes is None else max_bytes
        return await self.body.read(cap)

    async def optional_json(self) -> Any:
        """Return the JSON body like `json`, None if the request has none."""
        return await self.json() if self.has_body else None

    @property
    def has_body(self) -> bool:
        """Whether the request has a body."""
        headers = self.request.headers
        return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


Handler = Callable[[Call[Any]], Awaitable[Struct | Response]]
"""Answers a call with a wire type (200), or with a response of its own; raises errors of
`fraud.errors`, `serve_app.gateway.errors` or `HttpProblem`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is no problem.

    Attributes:
        description: what it means.
        type: its wire type; None: the body is not one of ours.
        example: as JSON.
        headers: further headers, of those in `reference.openapi`.
        media_type: media type of the body; "" if there is none.
        also: further media types that a client may ask for; their bodies are texts.
    """

    description: str
    type: type[Struct] | None = None
    example: Json | None = None
    _: KW_ONLY
    headers: tuple[str, ...] = ()
    media_type: str = "application/json"
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method on a path.

    Attributes:
        method: GET, POST or DELETE.
        path: with parameters in braces.
        operation_id: its name in generated clients, stable.
        summary: one line; `{max_rows}` stands for the rows of a batch.
        tag: its group in the reference, see `reference.openapi`.
        scope: what the sender's key must have; None: no key is needed.
        answers: status -> answer, without problems.
        description: further prose, Markdown.
        body: wire types of the body, one of which it must be; () for none.
        body_example: as JSON.
        needs_body: whether the body must be there.
        form: wire type of a form that may be sent instead of the body.
        parameters: name -> JSON Schema with a description; in the path if it names them, else in
            the query string.
        problems: statuses of its problems beyond those that follow from the rest.
        is_limited: whether rate limits apply.
        is_listed: whether the OpenAPI document has it.
        handler: answers it; None on the hot path (`serve_app.http.asgi`).
    """

    method: str
    path: str
    operation_id: str
    summary: str
    tag: str
    scope: Scope | None
    answers: Mapping[int, Answer]
    description: str = ""
    body: tuple[type[Struct], ...] = ()
    body_example: Json | None = None
    needs_body: bool = True
    form: type[Struct] | None = None
    parameters: Mapping[str, Json] | None = None
    problems: tuple[int, ...] = ()
    is_limited: bool = False
    is_listed: bool = True
    handler: Handler | None = None

    @property
    def problem_statuses(self) -> list[int]:
        """Every status of a problem, ascending."""
        statuses = set(self.problems)
        if self.scope is not None:
            statuses |= {401, 403, 500, 503}
        if self.body:
            statuses |= {400, 408, 413, 415, 422}
        if self.is_limited:
            statuses.add(429)
        return sorted(statuses)

    def __call__(self, handler: Handler) -> Route:
        """Return the route with its handler: a route is a decorator."""
        return replace(self, handler=handler)


def public_route(
    path: str, operation_id: str, summary: str, media_type: str = "application/json"
) -> Route:
    """Return a GET route for operators that needs no key. Its body is not one of our wire types."""
    return Route(
        method="GET",
        path=path,
        operation_id=operation_id,
        summary=summary,
        tag="operation",
        scope=None,
        answers={200: Answer(summary, media_type=media_type)},
    )


def answer(
    document: Struct, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a document as the answer."""
    return json_answer(encode(document), status, headers)


def json_answer(
    body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON as the answer."""
    return Response(body, status, {**_ALWAYS, **(headers or {})}, media_type="application/json")
