"""The front as a plain ASGI app: a thin path for decisions, everything else falls through.

Nothing here knows Ray: what decides and what knows keys is handed in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from fraud.errors import InvalidInput, RateLimited
from serve_app.gateway.auth import Principal
from serve_app.gateway.coalescer import Coalescer, Decide
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.submission import Answers, Decided, RowAnswer
from serve_app.http.exchange import (
    REQUEST_ID,
    Body,
    ClientGone,
    Head,
    Message,
    Receive,
    Scope,
    Send,
    reply,
    reply_problem,
)
from serve_app.http.problems import Headers, HttpProblem, Problem, problem_of
from serve_app.http.reading.intake import ROWS_A_TURN, Intake
from serve_app.http.traffic import Traffic
from serve_app.http.wire.answers import DecisionEncoder, encode_stages
from settings.settings import Settings, default_lanes

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Authenticate = Callable[[bytes | None, bytes | None], Awaitable[Principal]]

_clock = time.perf_counter

_LISTED = frozenset({"/v1/decisions"})
"""Hot paths that also answer GET, which is not hot."""
_LANES_TOGETHER = 2
"""Large micro-batches are full anyway: while one is read or written, another is scored."""


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """What the front needs of the settings; see `settings.settings.Settings`."""

    max_body_bytes: int = 256 * 1024
    max_batch_body_bytes: int = 1024 * 1024
    max_batch_rows: int = 1000
    max_future_s: int = 300
    max_past_days: int = 7
    request_timeout_ms: int = 2_000
    max_queued_rows: int = 4_096
    max_rows_per_call: int = 256
    lanes: int = field(default_factory=default_lanes)

    @classmethod
    def of(cls, settings: Settings) -> FrontSettings:
        """The front's part of all settings."""
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})


class DecisionsApp:
    """The ASGI app.

    Args:
        decide: answers a micro-batch; raises errors of `fraud.errors`, perhaps wrapped by Ray.
        authenticate: (X-API-Key, Authorization) -> Principal, or raises.
        limits: how much a key may have decided.
        settings: caps and times.
        rest: everything that is not the hot path; also gets the lifespan.
        combiners: replicas of what decides, > 0; there are `settings.lanes` lanes for each, and
            `_LANES_TOGETHER` at least for payments that were sent together.
        now_ms: wall clock, milliseconds since the epoch.
        adds_request_id: whether to put X-Request-ID on answers; Serve's own proxy does.

    Attributes:
        express: path -> ASGI app for its HTTP requests, with X-Request-ID on the answers in any
            case: for a server that knows the way itself (`serve_app.http.express`).
    """

    def __init__(
        self,
        decide: Decide,
        authenticate: Authenticate,
        limits: RateLimits,
        settings: FrontSettings,
        rest: App,
        *,
        combiners: Callable[[], int] = lambda: 1,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        adds_request_id: bool = True,
    ) -> None:
        self._authenticate = authenticate
        self._limits = limits
        self._settings = settings
        self._rest = rest
        self._adds_request_id = adds_request_id
        self._encoder = DecisionEncoder()
        self._traffic = Traffic()
        self._intake = Intake(
            max_batch_rows=settings.max_batch_rows,
            max_future_ms=settings.max_future_s * 1000,
            max_past_ms=settings.max_past_days * 86_400_000,
            now_ms=now_ms,
        )
        # Payments that were sent together stay together, in their order, in lanes of their own:
        # neither their number nor the history that one of them needs holds up who comes alone.
        self.alone, self.together = (
            Coalescer(
                decide,
                limits.admit,
                patient=patient,
                lanes=partial(_lanes, max(settings.lanes, least), combiners),
                max_rows_per_call=settings.max_rows_per_call,
                max_queued_rows=settings.max_queued_rows,
                timeout_s=settings.request_timeout_ms / 1000,
            )
            for patient, least in ((False, 1), (True, _LANES_TOGETHER))
        )
        self._hot: dict[str, _Answer] = {
            "/v1/decisions": self._decide,
            "/v1/decisions/batch": self._decide_batch,
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
            await self._fall_through(self._adds_request_id, scope, receive, send)
        else:
            await self._serve(answer, self._adds_request_id, scope, receive, send)

    async def _serve(
        self, answer: _Answer, adds_request_id: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if scope["method"] in ("GET", "HEAD") and scope["path"] in _LISTED:
            await self._fall_through(adds_request_id, scope, receive, send)
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
            exchange.stage_ms["reply"] = (ended - exchange.since) * 1000
            self._traffic.answered(scope["path"], status)
            self._traffic.decided(ended - began, exchange.stage_ms)
        finally:
            self._traffic.ended()

    async def _answer(
        self, answer: _Answer, exchange: _Exchange, scope: Scope, send: Send
    ) -> str | None:
        """Send what `answer` makes of a request; the status, or None if the client went away."""
        result: bytes | Problem
        try:
            if scope["method"] != "POST":
                allow = b"GET, POST" if scope["path"] in _LISTED else b"POST"
                detail = "this path does not answer to this method"
                raise HttpProblem("method-not-allowed", detail, ((b"allow", allow),))
            result = await answer(exchange)
        except ClientGone:
            return None
        except Exception as error:
            exchange.since = _clock()
            result = problem_of(error, exchange.head.request_id)
            await exchange.body.discard()
        headers = exchange.headers
        if isinstance(result, Problem):
            if exchange.caller is not None:
                # A 429 says itself which limit is used up.
                tell = self._limits.policy if result.status == 429 else self._limits.headers
                headers = headers + tell(exchange.caller)
            await reply_problem(send, result, headers)
            return str(result.status)
        assert exchange.caller is not None
        await reply(send, 200, result, headers=headers + self._limits.headers(exchange.caller))
        return "200"

    async def _decide(self, exchange: _Exchange) -> bytes | Problem:
        raw, caller = await self._read(exchange, self._settings.max_body_bytes)
        batch = self._intake.transaction(raw, caller.tenant)
        exchange.lap("parse")
        batch.stages = [exchange.stages()]
        answers = await self.alone.submit(batch, caller, exchange.body.client_has_left)
        exchange.since = _clock()
        row = answers.rows[0]
        if not isinstance(row, Decided):
            return problem_of(row, exchange.head.request_id)
        exchange.waited(answers)
        return self._encode(row)

    async def _decide_batch(self, exchange: _Exchange) -> bytes | Problem:
        request_id = exchange.head.request_id
        raw, caller = await self._read(exchange, self._settings.max_batch_body_bytes)
        batch, verdicts = await self._intake.batch(raw, caller.tenant)
        exchange.lap("parse")
        rows: list[RowAnswer] = []
        if len(batch):
            batch.stages = [exchange.stages()] * len(batch)
            answers = await self.together.submit(batch, caller, exchange.body.client_has_left)
            rows = answers.rows
            if problem := _common_problem(rows, request_id):
                return problem
            exchange.waited(answers)
        exchange.since = _clock()
        return await self._results(rows, verdicts, request_id)

    def _encode(self, row: Decided) -> bytes:
        return self._encoder.encode(row.batch, row.row, row.stages.encode(), row.metadata)

    async def _read(self, exchange: _Exchange, max_bytes: int) -> tuple[bytes, Principal]:
        """The body and who sends it."""
        head = exchange.head
        exchange.since = _clock()
        caller = await self._authenticate(head.api_key, head.authorization)
        exchange.caller = caller
        exchange.lap("auth")
        self._limits.refuse_exhausted(caller)
        head.require_json()
        raw = await exchange.body.read(max_bytes)
        exchange.since = _clock()  # how long the client takes to send is no stage of ours
        return raw, caller

    async def _results(
        self,
        answers: list[RowAnswer],
        verdicts: list[InvalidInput | None],
        request_id: str,
    ) -> bytes:
        """The batch answer; gives way to other requests every `ROWS_A_TURN` rows."""
        parts: list[bytes] = []
        failures: dict[int, bytes] = {}
        rest = iter(answers)
        for verdict in verdicts:
            answer = verdict if verdict is not None else next(rest)
            if isinstance(answer, Decided):
                parts.append(self._encode(answer))
            else:
                # Rows that failed together share their error: it is told, and logged, once.
                if id(answer) not in failures:
                    failures[id(answer)] = problem_of(answer, request_id).body()
                parts.append(failures[id(answer)])
            if len(parts) % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        return b'{"results":[%b]}' % b",".join(parts)

    async def _fall_through(
        self, adds_request_id: bool, scope: Scope, receive: Receive, send: Send
    ) -> None:
        request_id = Head(scope["headers"]).request_id
        # What answers GET answers HEAD: the server, which has the scope as it came, sends no body.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        scope = {**scope, "method": method, REQUEST_ID: request_id}
        status = 0
        self._traffic.began()

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if adds_request_id:
                    given = message.get("headers", ())
                    message["headers"] = [*given, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._rest(scope, receive, send_on)
        except ClientGone:
            return
        except Exception as error:
            # FastAPI raises what it has already answered with a 500.
            if not status:
                await reply_problem(send_on, problem_of(error, request_id))
        finally:
            self._traffic.ended()
        route = getattr(scope.get("route"), "path", "other")
        self._traffic.answered(route, str(status))


class _Exchange:
    """What is known of one request for decisions while it is answered.

    Attributes:
        head, body: what the client sends.
        headers: further headers of the answer, whatever it will be.
        caller: who sends it, once that is known.
        stage_ms: milliseconds spent in each stage so far.
        since: when the current stage began; in the end, when the answer was known.
    """

    __slots__ = ("body", "caller", "head", "headers", "since", "stage_ms")

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> None:
        self.head = Head(headers)
        self.body = Body(receive, self.head)
        self.headers: Headers = ()
        self.caller: Principal | None = None
        self.stage_ms: dict[str, float] = {}
        self.since = _clock()

    def lap(self, stage: str) -> None:
        """`stage` ends now, the next one begins."""
        now = _clock()
        self.stage_ms[stage] = (now - self.since) * 1000
        self.since = now

    def stages(self) -> str:
        """The stages so far, as members of a JSON object."""
        return encode_stages(self.stage_ms).decode()

    def waited(self, answers: Answers) -> None:
        """Take over the times that the coalescer measured."""
        self.stage_ms["wait"] = answers.wait_ms
        self.stage_ms["limit"] = answers.admit_ms


_Answer = Callable[[_Exchange], Awaitable[bytes | Problem]]


def _lanes(each: int, combiners: Callable[[], int]) -> int:
    return each * combiners()


def _common_problem(answers: list[RowAnswer], request_id: str) -> Problem | None:
    """One problem for the request if not one row was decided, all for want of a part (503) or all
    over a limit (429): the one with the longest wait."""
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
