"""Declared routes against the app: schemathesis makes requests from the OpenAPI document, valid and
invalid ones, and checks the answers. Every check runs, with the exceptions below."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from serve_app.http.job_routes import JOB_ROUTES
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.reference.openapi import document
from serve_app.http.routes import ROUTES
from tests.contracts.front import KEY, Front
from tests.contracts.job_front import JobFront

EVERY = (*ROUTES, *JOB_ROUTES)

FOLDER = tempfile.TemporaryDirectory(prefix="quorum-jobs-")
DECISIONS, JOBS = Front().app, JobFront(Path(FOLDER.name), most_open=10_000).app


async def every_app(scope: Any, receive: Any, send: Any) -> None:
    """Pass a request to the application that has its prefix, as HAProxy does."""
    is_of_jobs = scope["type"] == "http" and scope["path"].startswith(PATH)
    await (JOBS if is_of_jobs else DECISIONS)(scope, receive, send)


schema = schemathesis.openapi.from_asgi("/openapi.json", every_app)

EXCLUDED = {
    # A schema cannot express how many decimals a currency has, nor how far from now a time may
    # lie: data that it allows may be refused for these.
    "decide": [positive_data_acceptance],
    "addLabel": [positive_data_acceptance],
    # Nor which payments exist, nor when they happened.
    "addLabelOf": [positive_data_acceptance],
    # Nor that one time lies before another, nor what a cursor is.
    "listDecisions": [positive_data_acceptance],
    "readExperimentReport": [positive_data_acceptance],
    # A wrong row does not stop the others: it is answered in its place, the batch with 200.
    "decideBatch": [negative_data_rejection],
    "addLabels": [negative_data_rejection],
    # Nor what a form's options are, nor how options hang together.
    "submitJob": [positive_data_acceptance],
    "confirmJob": [positive_data_acceptance],
    # Nor what a plan is.
    "storePlan": [positive_data_acceptance],
    "simulatePlan": [positive_data_acceptance],
}

NO_OPTIONS_IN_A_FORM: Final = ([], {}, [{}])
"""Not texts, as `options` of a form must be, and yet sent as one: a form has texts alone. An empty
list is no field, a list of one is the field, and an object is its JSON."""


def reads_well_as_a_form(case: schemathesis.Case) -> bool:
    """Return whether what is wrong with a body is lost where it becomes a form."""
    is_form = case.media_type == "multipart/form-data" and isinstance(case.body, dict)
    return is_form and case.body.get("options", "") in NO_OPTIONS_IN_A_FORM


@pytest.mark.slow
@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_app_keeps_to_its_reference(case: schemathesis.Case) -> None:
    excluded = EXCLUDED.get(case.operation.definition.raw["operationId"], [])
    if reads_well_as_a_form(case):
        excluded = [*excluded, negative_data_rejection]
    case.call_and_validate(headers={"X-API-Key": str(KEY)}, excluded_checks=excluded)


def test_every_operation_is_tried() -> None:
    tried = {o.ok().label for o in schema.get_all_operations()}
    written = {f"{m.upper()} {p}" for p, ms in document()["paths"].items() for m in ms}
    # schemathesis leaves out the path that the document came from.
    assert tried == written - {"GET /openapi.json"}


def test_every_route_is_declared_once() -> None:
    counts = Counter((route.method, route.path) for route in EVERY)
    assert set(counts.values()) == {1}
    names = Counter(route.operation_id for route in EVERY)
    assert set(names.values()) == {1}


def test_reading_needs_read_and_what_needs_no_key_is_for_operators() -> None:
    for route in ROUTES:
        if route.scope is None:
            assert route.tag == "operation"
            assert route.method == "GET"
        else:
            assert (route.scope == "read") == (route.method == "GET")
            assert {401, 403} <= set(route.problem_statuses)


def test_every_route_of_the_hot_path_needs_the_scope_that_it_checks() -> None:
    assert {route.scope for route in ROUTES if route.handler is None} == {"decide"}


def test_jobs_need_their_own_scope_for_everything() -> None:
    for route in JOB_ROUTES:
        assert (route.scope, route.tag) == ("jobs", "jobs")
        assert route.path.startswith(PATH)
        assert route.handler is not None


def test_every_route_has_a_handler_but_those_of_the_hot_path() -> None:
    hot = {route.path for route in ROUTES if route.handler is None}
    assert hot == set(Front().app.express)
