"""What readiness says besides: parts that decisions go on without."""

from __future__ import annotations

from types import SimpleNamespace

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from serve_app.http.routes import health


async def _asked(readiness: object, monkeypatch) -> dict[str, object]:
    async def ready() -> object:
        return readiness

    monkeypatch.setattr(health, "services", lambda _: SimpleNamespace(ready=ready))
    app = FastAPI()
    app.include_router(health.router)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://quorum") as client:
        answer = await client.get("/v2/health/ready")
    assert answer.status_code == 200
    return answer.json()


async def test_a_postgres_that_takes_no_writes_is_said_and_decisions_go_on(monkeypatch) -> None:
    trouble = "PostgreSQL takes no writes"
    readiness = SimpleNamespace(troubles=(trouble,))
    assert await _asked(readiness, monkeypatch) == {"ready": True, "degraded": [trouble]}
    assert await _asked(SimpleNamespace(troubles=()), monkeypatch) == {"ready": True}
