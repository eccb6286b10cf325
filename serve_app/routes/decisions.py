"""GET /v1/decisions/{decision_id}: a decision as it was given."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from serve_app.routes.request import answer, principal, services

router = APIRouter()


@router.get("/v1/decisions/{decision_id}")
async def read_decision(request: Request, decision_id: str) -> Response:
    """A decision of the key's tenant; 404 for everybody else."""
    who = await principal(request)
    return answer(await services(request).ledger.decision(who.tenant, decision_id))
