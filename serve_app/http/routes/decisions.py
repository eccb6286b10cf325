"""GET /v1/decisions: decisions looked for, and one as it was given."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from serve_app.gateway.search import DAY_MS
from serve_app.http.reading.search_query import Reach, read_search
from serve_app.http.routes.request import answer, principal, services
from serve_app.http.wire.found import decision_out, page_out

router = APIRouter()


@router.get("/v1/decisions")
async def list_decisions(request: Request) -> Response:
    """A page of decisions of the key's tenant, newest first."""
    who = await principal(request)
    house = services(request)
    reach = Reach(house.limits.max_past_days * DAY_MS, house.limits.max_future_s * 1000)
    search = read_search(request.query_params.multi_items(), house.now_ms(), reach)
    return answer(page_out(await house.records.decisions(who.tenant, search)))


@router.get("/v1/decisions/{decision_id}")
async def read_decision(request: Request, decision_id: str) -> Response:
    """A decision of the key's tenant; 404 for everybody else."""
    who = await principal(request)
    return answer(decision_out(await services(request).records.decision(who.tenant, decision_id)))
