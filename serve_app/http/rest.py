"""Everything that is not the hot path, as a FastAPI app whose every error is a problem document."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from fraud.errors import InvalidInput
from serve_app.http.exchange import ALWAYS, REQUEST_ID
from serve_app.http.problems import MEDIA_TYPE, HttpProblem, Problem, problem_of
from serve_app.http.routes import decisions, health, labels, metrics, plans, reference, variants
from serve_app.http.services import Services

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

ROUTERS = tuple(r.router for r in (decisions, labels, plans, variants, health, metrics, reference))


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def build_rest(services: Services, lifespan: Lifespan = _nothing) -> FastAPI:
    """The app.

    Args:
        services: the parts behind the routes.
        lifespan: what is opened before the first request and closed after the last.
    """
    app = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.state.services = services
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_error)
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    return await _respond(request, error)


async def _on_validation(request: Request, error: Exception) -> Response:
    # FastAPI's own answer quotes the input, and is a 500 if JSON cannot hold it.
    return await _respond(request, InvalidInput("the request cannot be read"))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allow = (error.headers or {}).get("Allow", "").encode()
        detail = "this path does not answer to this method"
        return await _respond(
            request, HttpProblem("method-not-allowed", detail, ((b"allow", allow),))
        )
    if error.status_code == 404:
        return await _respond(request, HttpProblem("not-found", "there is nothing at this path"))
    return await _respond(request, InvalidInput("the request cannot be read"))


async def _respond(request: Request, error: Exception) -> Response:
    problem: Problem = problem_of(error, request.scope.get(REQUEST_ID))
    response = Response(problem.body(), problem.status, media_type=MEDIA_TYPE.decode())
    # A cache may keep a 404 for as long as it likes, unless it is told not to.
    for name, value in (*ALWAYS, *problem.headers):
        response.headers[name.decode()] = value.decode()
    return response
