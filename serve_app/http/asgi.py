"""The HTTP adapter as a plain ASGI app: a thin path for decisions, everything else falls through.

Independent of Ray: the gateway and the authenticator are passed in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from fraud.errors import InvalidInput, RateLimited
from fraud.stage import AUTH, LIMIT, PARSE, REPLY, WAIT
from serve_app.gateway.auth import Principal
from serve_app.gateway.errors import CallerGone
from serve_app.gateway.gateway import Gateway
from serve_app.gateway.submission import Answers, Decided, RowAnswer
from serve_app.http.exchange import (
    App,
    Body,
    Head,
    Receive,
    Scope,
    Send,
    reply,
    reply_problem,
)
from serve_app.http.observed import ObservedApp
from serve_app.http.problems import Headers, HttpProblem, Problem, problem_of
from serve_app.http.rate_limit_headers import policy_header, standing_headers
from serve_app.http.reading.intake import ROWS_A_TURN, Intake
from serve_app.http.routes import ROUTES
from serve_app.http.routes.decisions import DECIDE, DECIDE_BATCH
from serve_app.http.services import Authenticate, RequestLimits
from serve_app.http.traffic import Traffic
from serve_app.http.wire.answers import DecisionEncoder, encode_stages

_clock = time.perf_counter

_LISTED = frozenset(route.path for route in ROUTES if route.method == "GET")
"""Paths that also answer GET, off the hot path."""


class DecisionsApp:
    """The ASGI app.

    Args:
        gateway: decides.
        authenticate: returns the owner of an API key, or raises.
        limits: what requests may contain.
        rest: everything that is not the hot path; also gets the lifespan.
        now_ms: wall clock, milliseconds since the epoch.
        adds_request_id: whether to put X-Request-ID on answers; not needed behind Serve's proxy.

    Attributes:
        express: path -> ASGI app for its HTTP requests, with X-Request-ID on the answers in any
            case: for a server that routes these paths itself (`serve_app.http.express`).
    """

    def __init__(
        self,
        gateway: Gateway,
        authenticate: Authenticate,
        limits: RequestLimits,
        rest: App,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        adds_request_id: bool = True,
    ) -> None:
        self._gateway = gateway
        self._rate_limits = gateway.rate_limits
        self._authenticate = authenticate
        self._limits = limits
        self._adds_request_id = adds_request_id
        self._encoder = DecisionEncoder()
        self._traffic = Traffic()
        self._rest = ObservedApp(rest, self._traffic, adds_request_id=adds_request_id)
        self._intake = Intake(
            max_batch_rows=limits.max_batch_rows,
            max_future_ms=limits.max_future_ms,
            max_past_ms=limits.max_past_ms,
            now_ms=now_ms,
        )
        self._hot: dict[str, _Answer] = {
            DECIDE.path: self._decide,
            DECIDE_BATCH.path: self._decide_batch,
        }
        self.express: dict[str, App] = {
            path: partial(self._serve, answer, True) for path, answer in self._hot.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        answer = self._hot.get(scope["path"])
        if answer is None:
            await self._rest.serve(self._adds_request_id, scope, receive, send)
        else:
            await self._serve(answer, self._adds_request_id, scope, receive, send)

    async def _serve(
        self, answer: _Answer, adds_request_id: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["method"] in ("GET", "HEAD") and scope["path"] in _LISTED:
            await self._rest.serve(adds_request_id, scope, receive, send)
            return
        began = _clock()
        self._traffic.began()
        try:
            exchange = _Exchange(scope["headers"], receive)
            if adds_request_id:
                exchange.headers = ((b"x-request-id", exchange.head.request_id.encode()),)
            status = await self._answer(answer, exchange, scope, send)
            if status is None:
                return
            ended = _clock()
            exchange.stage_ms[REPLY] = (ended - exchange.since) * 1000
            self._traffic.answered(scope["path"], status)
            self._traffic.decided(ended - began, exchange.stage_ms)
        finally:
            self._traffic.ended()

    async def _answer(
        self, answer: _Answer, exchange: _Exchange, scope: Scope, send: Send
    ) -> str | None:
        """Send the answer to a request and return its status, None if the client went away."""
        result: bytes | Problem
        try:
            if scope["method"] != "POST":
                allow = b"GET, POST" if scope["path"] in _LISTED else b"POST"
                detail = "This path does not support this method"
                raise HttpProblem("method-not-allowed", detail, ((b"allow", allow),))
            result = await answer(exchange)
        except CallerGone:
            return None
        except Exception as error:
            exchange.since = _clock()
            result = problem_of(error, exchange.head.request_id)
            await exchange.body.discard()
        headers = exchange.headers
        principal = exchange.principal
        if isinstance(result, Problem):
            if principal is not None:
                # A 429 itself names the limit that is used up.
                headers += (
                    policy_header(principal)
                    if result.status == 429
                    else standing_headers(self._rate_limits.standing(principal))
                )
            await reply_problem(send, result, headers)
            return str(result.status)
        assert principal is not None
        headers += standing_headers(self._rate_limits.standing(principal))
        await reply(send, 200, result, headers=headers)
        return "200"

    async def _decide(self, exchange: _Exchange) -> bytes | Problem:
        raw, principal = await self._read(exchange, self._limits.max_body_bytes)
        batch = self._intake.transaction(raw, principal.tenant)
        exchange.lap(PARSE)
        batch.stages = [exchange.stages()]
        answers = await self._gateway.submit(
            batch, principal, exchange.body.client_has_left, together=False
        )
        exchange.since = _clock()
        row = answers.rows[0]
        if not isinstance(row, Decided):
            return problem_of(row, exchange.head.request_id)
        exchange.note_waits(answers)
        return self._encode(row)

    async def _decide_batch(self, exchange: _Exchange) -> bytes | Problem:
        request_id = exchange.head.request_id
        raw, principal = await self._read(exchange, self._limits.max_batch_body_bytes)
        batch, errors = await self._intake.batch(raw, principal.tenant)
        exchange.lap(PARSE)
        rows: list[RowAnswer] = []
        if len(batch):
            batch.stages = [exchange.stages()] * len(batch)
            answers = await self._gateway.submit(batch, principal, exchange.body.client_has_left)
            rows = answers.rows
            if problem := _common_problem(rows, request_id):
                return problem
            exchange.note_waits(answers)
        exchange.since = _clock()
        return await self._results(rows, errors, request_id)

    def _encode(self, row: Decided) -> bytes:
        return self._encoder.encode(row.batch, row.row, row.stages.encode(), row.metadata)

    async def _read(self, exchange: _Exchange, max_bytes: int) -> tuple[bytes, Principal]:
        """Return the body and its sender."""
        head = exchange.head
        exchange.since = _clock()
        principal = await self._authenticate(head.credential)
        exchange.principal = principal
        principal.require("decide")
        exchange.lap(AUTH)
        self._rate_limits.refuse_exhausted(principal)
        head.require_json()
        raw = await exchange.body.read(max_bytes)
        exchange.since = _clock()  # waiting for the client to send is not a stage
        return raw, principal

    async def _results(
        self,
        answers: list[RowAnswer],
        errors: list[InvalidInput | None],
        request_id: str,
    ) -> bytes:
        """Return the batch answer; gives way to other requests every `ROWS_A_TURN` rows."""
        parts: list[bytes] = []
        failures: dict[int, bytes] = {}
        rest = iter(answers)
        for error in errors:
            answer = error if error is not None else next(rest)
            if isinstance(answer, Decided):
                parts.append(self._encode(answer))
            else:
                # Rows that failed together share their error: it is rendered, and logged, once.
                if id(answer) not in failures:
                    failures[id(answer)] = problem_of(answer, request_id).body()
                parts.append(failures[id(answer)])
            if len(parts) % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        return b'{"results":[%b]}' % b",".join(parts)


class _Exchange:
    """One request for decisions while it is answered.

    Attributes:
        head, body: what the client sends.
        headers: further headers for any answer.
        principal: the sender, once authenticated.
        stage_ms: milliseconds spent in each stage so far.
        since: when the current stage began; in the end, when the answer was known.
    """

    __slots__ = ("body", "head", "headers", "principal", "since", "stage_ms")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> None:
        self.head = Head(headers)
        self.body = Body(receive, self.head)
        self.headers: Headers = ()
        self.principal: Principal | None = None
        self.stage_ms: dict[str, float] = {}
        self.since = _clock()

    def lap(self, stage: str) -> None:
        """End `stage` and begin the next one."""
        now = _clock()
        self.stage_ms[stage] = (now - self.since) * 1000
        self.since = now

    def stages(self) -> str:
        """Return the stages so far as members of a JSON object."""
        return encode_stages(self.stage_ms).decode()

    def note_waits(self, answers: Answers) -> None:
        """Add the times that the gateway measured."""
        self.stage_ms[WAIT] = answers.wait_ms
        self.stage_ms[LIMIT] = answers.admit_ms


_Answer = Callable[[_Exchange], Awaitable[bytes | Problem]]


def _common_problem(answers: list[RowAnswer], request_id: str) -> Problem | None:
    """Return one problem for the whole request if no row was decided, and all because a part does
    not answer (503) or all because of a limit (429): then the one with the longest wait."""
    if any(isinstance(answer, Decided) for answer in answers):
        return None
    errors = {id(answer): answer for answer in answers if isinstance(answer, Exception)}.values()
    limited = [error for error in errors if isinstance(error, RateLimited)]
    if limited:
        longest = max(limited, key=lambda error: error.wait_s)
        return problem_of(longest, request_id) if len(limited) == len(errors) else None
    problem: Problem | None = None
    for error in errors:
        problem = problem_of(error, request_id)
        if problem.status != 503:
            return None
    return problem
