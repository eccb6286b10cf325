"""The reference against the app: requests are made from the one and sent to the other, good ones
and bad ones. Every check of schemathesis runs, but for the exceptions said below."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from serve_app.http.reference.openapi import document
from tests.contracts.front import KEY, Front

pytestmark = pytest.mark.slow

schema = schemathesis.openapi.from_asgi("/openapi.json", Front().app)

EXCLUDED = {
    # A schema cannot say how many decimals a currency has, nor how far from now a time may lie:
    # data that it allows may be refused for these.
    "decide": [positive_data_acceptance],
    "addLabel": [positive_data_acceptance],
    # Nor which payments there are, nor from when on which of them is known.
    "addLabelOf": [positive_data_acceptance],
    # Nor that one time lies before another, nor what a cursor is.
    "listDecisions": [positive_data_acceptance],
    # A wrong row does not stop the others: it is answered in its place, the batch with 200.
    "decideBatch": [negative_data_rejection],
    "addLabels": [negative_data_rejection],
}


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_app_keeps_to_its_reference(case: schemathesis.Case) -> None:
    excluded = EXCLUDED.get(case.operation.definition.raw["operationId"], [])
    case.call_and_validate(headers={"X-API-Key": str(KEY)}, excluded_checks=excluded)


def test_every_operation_is_tried() -> None:
    tried = {o.ok().label for o in schema.get_all_operations()}
    written = {f"{m.upper()} {p}" for p, ms in document()["paths"].items() for m in ms}
    # Where the document itself came from is left out by schemathesis.
    assert tried == written - {"GET /openapi.json"}
