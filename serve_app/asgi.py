"""The front as a plain ASGI app: a thin path for decisions, everything else falls through.

Nothing here knows Ray: what decides and what knows keys is handed in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from deployments import metrics
from fraud.errors import InvalidInput
from fraud.settings import Settings
from serve_app.answers import DecisionEncoder, encode_stages
from serve_app.auth import Principal
from serve_app.coalescer import Coalescer, Decide, Decided, RowAnswer
from serve_app.exchange import (
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
from serve_app.intake import ROWS_A_TURN, Intake
from serve_app.problems import Headers, HttpProblem, Problem, problem_of
from serve_app.rest import REQUEST_ID

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Authenticate = Callable[[bytes | None, bytes | None], Awaitable[Principal]]

_requests = lru_cache(maxsize=256)(metrics.REQUESTS.labels)


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """What the front needs of the settings; see `fraud.settings.Settings`."""

    max_body_bytes: int = 256 * 1024
    max_batch_body_bytes: int = 1024 * 1024
    max_batch_rows: int = 1000
    max_future_s: int = 300
    max_past_days: int = 3650
    request_timeout_ms: int = 2_000
    max_queued_rows: int = 4_096
    max_rows_per_call: int = 256
    lanes: int = 2

    @classmethod
    def of(cls, settings: Settings) -> FrontSettings:
        """The front's part of all settings."""
        return cls(**{name: getattr(settings, name) for name in cls.__dataclass_fields__})


class DecisionsApp:
    """The ASGI app.

    Args:
        decide: answers a micro-batch; raises errors of `fraud.errors`, perhaps wrapped by Ray.
        authenticate: (X-API-Key, Authorization) -> Principal, or raises.
        settings: caps and times.
        rest: everything that is not the hot path; also gets the lifespan.
        now_ms: wall clock, milliseconds since the epoch.
        adds_request_id: whether to put X-Request-ID on answers; Serve's own proxy does.
    """

    def __init__(
        self,
        decide: Decide,
        authenticate: Authenticate,
        settings: FrontSettings,
        rest: App,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        adds_request_id: bool = True,
    ) -> None:
        self._authenticate = authenticate
        self._settings = settings
        self._rest = rest
        self._adds_request_id = adds_request_id
        self._encoder = DecisionEncoder()
        self._intake = Intake(
            max_batch_rows=settings.max_batch_rows,
            max_future_ms=settings.max_future_s * 1000,
            max_past_ms=settings.max_past_days * 86_400_000,
            now_ms=now_ms,
        )
        self.coalescer = Coalescer(
            decide,
            lanes=settings.lanes,
            max_rows_per_call=settings.max_rows_per_call,
            max_queued_rows=settings.max_queued_rows,
            timeout_s=settings.request_timeout_ms / 1000,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._rest(scope, receive, send)
            return
        path = scope["path"]
        metrics.REQUESTS_IN_PROGRESS.inc()
        try:
            if path == "/v1/decisions":
                await self._hot(scope, receive, send, self._decide)
            elif path == "/v1/decisions/batch":
                await self._hot(scope, receive, send, self._decide_batch)
            else:
                await self._fall_through(scope, receive, send)
        finally:
            metrics.REQUESTS_IN_PROGRESS.dec()

    async def _hot(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        answer: Callable[[Head, Body], Awaitable[bytes | Problem]],
    ) -> None:
        started = time.perf_counter()
        head = Head(scope["headers"])
        body = Body(receive, head)
        headers: Headers = ()
        if self._adds_request_id:
            headers = ((b"x-request-id", head.request_id.encode()),)
        try:
            if scope["method"] != "POST":
                detail = "decisions are asked for with POST"
                raise HttpProblem("method-not-allowed", detail, ((b"allow", b"POST"),))
            result = await answer(head, body)
        except ClientGone:
            return
        except Exception as error:
            result = problem_of(error, head.request_id)
            await body.discard()
        if isinstance(result, Problem):
            status = result.status
            await reply_problem(send, result, headers)
        else:
            status = 200
            await reply(send, 200, result, headers=headers)
        _requests(scope["path"], str(status)).inc()
        metrics.PREDICTION_LATENCY.observe(time.perf_counter() - started)

    async def _decide(self, head: Head, body: Body) -> bytes | Problem:
        clock = time.perf_counter
        t0 = clock()
        principal = await self._authenticate(head.api_key, head.authorization)
        t1 = clock()
        head.require_json()
        raw = await body.read(self._settings.max_body_bytes)
        t2 = clock()
        batch = self._intake.transaction(raw, principal.tenant)
        t3 = clock()
        answers = await self.coalescer.submit(batch)
        row = answers.rows[0]
        if not isinstance(row, Decided):
            return problem_of(row, head.request_id)
        stage_ms = {
            "auth": (t1 - t0) * 1000,
            "parse": (t3 - t2) * 1000,
            "wait": answers.wait_ms,
        }
        return self._encoder.encode(row.batch, row.row, encode_stages(stage_ms))

    async def _decide_batch(self, head: Head, body: Body) -> bytes | Problem:
        clock = time.perf_counter
        t0 = clock()
        principal = await self._authenticate(head.api_key, head.authorization)
        t1 = clock()
        head.require_json()
        raw = await body.read(self._settings.max_batch_body_bytes)
        t2 = clock()
        batch, verdicts = await self._intake.batch(raw, principal.tenant)
        t3 = clock()
        answers: list[RowAnswer] = []
        stage_ms = {"auth": (t1 - t0) * 1000, "parse": (t3 - t2) * 1000}
        if len(batch):
            answers, stage_ms["wait"] = await self.coalescer.submit(batch)
            if problem := _common_outage(answers, head.request_id):
                return problem
        own_stages = encode_stages(stage_ms)
        return await self._results(answers, verdicts, own_stages, head.request_id)

    async def _results(
        self,
        answers: list[RowAnswer],
        verdicts: list[InvalidInput | None],
        own_stages: bytes,
        request_id: str,
    ) -> bytes:
        """The batch answer; gives way to other requests every `ROWS_A_TURN` rows."""
        parts: list[bytes] = []
        failures: dict[int, bytes] = {}
        rest = iter(answers)
        for verdict in verdicts:
            answer = verdict if verdict is not None else next(rest)
            if isinstance(answer, Decided):
                parts.append(self._encoder.encode(answer.batch, answer.row, own_stages))
            else:
                # Rows that failed together share their error: it is told, and logged, once.
                if id(answer) not in failures:
                    failures[id(answer)] = problem_of(answer, request_id).body()
                parts.append(failures[id(answer)])
            if len(parts) % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        return b'{"results":[%b]}' % b",".join(parts)

    async def _fall_through(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = Head(scope["headers"]).request_id
        scope[REQUEST_ID] = request_id
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._adds_request_id:
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
        route = getattr(scope.get("route"), "path", "other")
        _requests(route, str(status)).inc()


def _common_outage(answers: list[RowAnswer], request_id: str) -> Problem | None:
    """One 503 for the request if not one row was decided, and all for want of a part."""
    if any(isinstance(answer, Decided) for answer in answers):
        return None
    problem: Problem | None = None
    for error in {id(answer): answer for answer in answers}.values():
        assert isinstance(error, Exception)
        problem = problem_of(error, request_id)
        if problem.status != 503:
            return None
    return problem
