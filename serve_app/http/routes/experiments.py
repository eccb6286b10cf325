"""GET /v1/experiments/{plan}/report: who of a plan's arms, shadows and challengers is better."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

import msgspec
from starlette.responses import Response

from deciding.plans.versions import NAME, NAME_PATTERN
from experiments.output.page import style_policy
from experiments.reading.reader import Found, Wanted
from experiments.report import Report, report
from fraud.errors import NotFound, Overloaded
from serve_app.gateway.queries import utc
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.report_query import (
    MEDIA_TYPES,
    PARAMETERS,
    Format,
    ReportQuery,
    read_report_query,
    too_long,
)
from serve_app.http.route import Answer, Call, Route
from serve_app.http.wire.experiment_schemas import ReportOut

TIME_LIMIT_S = 30.0
"""For reading and computing together. It is looked at before each measure of a comparison, so
that an answer takes a few seconds more at most."""
_RETRY_AFTER_S = 5.0

PAGE_POLICY: Final = (
    "default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""Content-Security-Policy of the page, which runs and loads nothing."""

_FIGURES = {
    "average_precision": 0.61,
    "review_rate": 0.02,
    "recall_at_review": 0.66,
    "frauds_stopped": 0.71,
    "genuine_interrupted": 0.021,
    "value_caught": 1.84,
    "value_caught_share": 0.78,
    "cost": 0.42,
    "brier": 0.0031,
    "calibration_error": 0.0012,
    "latency_p50_ms": 2.1,
    "latency_p95_ms": 6.8,
    "outcomes": {"approve": 0.97, "challenge": 0.01, "review": 0.015, "block": 0.005},
    "degraded": 0.0,
    "calibration": [[0.052, 0.05], [0.001, 0.0011]],
}
_MATURITY = {
    "decisions": 60_000,
    "old_enough": 48_000,
    "labelled": 45_600,
    "counted": 45_600,
    "frauds": 231,
}
_SIDE = {"kind": "shadow", "name": "candidate", "figures": _FIGURES, "maturity": _MATURITY}

_busy = asyncio.Lock()
"""One report at a time: each holds up to some 50 MB and a core. The lock is held until the
computation has ended, even if the client has gone."""


@Route(
    method="GET",
    path="/v1/experiments/{plan}/report",
    operation_id="readExperimentReport",
    summary="Who of a plan's arms, shadows and challengers is better",
    description="Compares what a plan decided for the key's tenant with what the labels say since: "
    "each arm with the first arm of its split, by customer; each shadow with the plan, and each "
    "pinned model with the champion, on the same payments. The intervals of differences may be "
    "looked at every day. As CSV, or as one HTML page with pictures, by `format` or `Accept`.",
    tag="experiments",
    scope="read",
    parameters={
        "plan": {"type": "string", "pattern": NAME_PATTERN, "description": "its name"},
        **PARAMETERS,
    },
    problems=(404, 422),
    answers={
        200: Answer(
            "The report",
            ReportOut,
            {
                "plan": "default",
                "version": None,
                "plan_versions": [7, 8],
                "from": "2026-01-05T00:00:00Z",
                "to": "2026-04-05T00:00:00Z",
                "label_delay": {
                    "waiting_days": 12.0,
                    "source": "measured",
                    "median_ms": 259_200_000,
                    "usual_ms": 1_000_000_000,
                    "frauds": 310,
                },
                "unlabelled": "excluded",
                "customers_sampled": 1.0,
                "costs": {
                    "review": 4.0,
                    "false_block": 25.0,
                    "missed_share": 1.0,
                    "challenge": None,
                    "challenge_stops": 0.8,
                },
                "decides_by": "cost",
                "level": 0.95,
                "sides": [{**_SIDE, "models": ["xgboost@2fd6da9b13f3"]}],
                "comparisons": [
                    {
                        "side": _SIDE,
                        "against": {**_SIDE, "kind": "plan", "name": ""},
                        "same_payments": True,
                        "moved_customers": 0,
                        "differences": [
                            {
                                "measure": "cost",
                                "better": "lower",
                                "side": 0.42,
                                "against": 0.51,
                                "difference": -0.09,
                                "low": -0.14,
                                "high": -0.04,
                                "method": "asymptotic",
                                "at_one_look": False,
                                "is": "better",
                                "looks": [
                                    {
                                        "at": "2026-03-24T00:00:00Z",
                                        "rows": 45_600,
                                        "difference": -0.09,
                                        "low": -0.14,
                                        "high": -0.04,
                                    }
                                ],
                            }
                        ],
                        "recommendation": {
                            "decision": "promote",
                            "reason": "Shadow candidate has a better cost a payment: 0.4200 instead"
                            " of 0.5100, lower by 0.0400 to 0.1400 with 95 % confidence.",
                        },
                    }
                ],
                "notes": [],
            },
            also=("text/csv", "text/html"),
        )
    },
)
async def experiment_report(call: Call) -> Response:
    """Return the report of a plan; 404 if it decided nothing for the key's tenant in this time."""
    headers = call.request.headers
    query = read_report_query(
        call.request.query_params.multi_items(), headers.get("accept", ""), call.services.now_ms()
    )
    if not NAME.fullmatch(call.path("plan")):
        raise _nothing()
    if _busy.locked():
        raise Overloaded("another report is being made", _RETRY_AFTER_S)
    async with _busy:
        return await _answer(call, query)


async def _answer(call: Call, query: ReportQuery) -> Response:
    wanted = Wanted(
        call.tenant, call.path("plan"), utc(query.from_ms), utc(query.to_ms), query.version
    )
    limit = _Limit(TIME_LIMIT_S)
    try:
        async with asyncio.timeout(TIME_LIMIT_S):
            found = await call.services.records.experiment(wanted)
        body = await _computed(found, wanted, query, limit)
    except TimeoutError:
        raise too_long() from None
    except NotFound:
        raise _nothing() from None
    return Response(body, media_type=MEDIA_TYPES[query.format], headers=_headers(query.format))


async def _computed(found: Found, wanted: Wanted, query: ReportQuery, limit: _Limit) -> bytes:
    """Compute the answer in a thread, and wait for the thread whatever happens: nobody can stop it
    from outside, and the next report must not start beside it."""

    def made() -> bytes:
        days, unlabelled = query.waiting_days, query.unlabelled
        computed = report(
            found, wanted, waiting_days=days, unlabelled=unlabelled, go_on=limit.check
        )
        return _body(computed, query.format)

    working = asyncio.create_task(asyncio.to_thread(made))
    try:
        return await asyncio.shield(working)
    finally:
        limit.end()
        await asyncio.wait([working])


class _Limit:
    """How long a report may take, in seconds from now on."""

    def __init__(self, seconds: float) -> None:
        self._end_s = monotonic() + seconds

    def end(self) -> None:
        """Let nothing more be begun."""
        self._end_s = 0.0

    def check(self) -> None:
        """Raise TimeoutError if the time is over."""
        if monotonic() > self._end_s:
            raise TimeoutError


def _body(made: Report, format_: Format) -> bytes:
    if format_ == "csv":
        return made.to_csv().encode()
    if format_ == "html":
        return made.to_page().encode()
    return msgspec.json.encode(made.to_document())


def _headers(format_: Format) -> dict[str, str]:
    headers = {"cache-control": "no-store", "vary": "Accept", "x-content-type-options": "nosniff"}
    if format_ == "html":
        headers["content-security-policy"] = PAGE_POLICY.format(style=style_policy())
        headers["referrer-policy"] = "no-referrer"
    return headers


def _nothing() -> HttpProblem:
    detail = "No payment of this key's tenant was decided by this plan in this time"
    return HttpProblem("not-found", detail)
