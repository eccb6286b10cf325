"""The operations on labels, as the OpenAPI document has them."""

from __future__ import annotations

from serve_app.http.reference.document_parts import ID_PARAMETER, SECURED, Json, body, ok, problems
from serve_app.http.reference.examples import LABEL, LABEL_OF, PROBLEM

_RULES = """Said again it changes nothing. A source corrects itself with a newer `known_at`; an
older one that comes late is kept, and changes nothing. The opposite of the same `known_at` from
the same source is a 409, and so is a label of a decision that is `transaction_reused`: labels are
kept by transaction id, so it would be taken for the payment that had the id first."""


def add_label() -> Json:
    """POST /v1/decisions/{decision_id}/labels."""
    return {
        "operationId": "addLabel",
        "summary": "Say what the payment of a decision turned out to be",
        "description": _RULES,
        "tags": ["labels"],
        "security": SECURED,
        "parameters": [ID_PARAMETER],
        "requestBody": body({"is_fraud": True, "source": "chargeback"}, "LabelIn"),
        "responses": {
            "200": ok("It was already said", "LabelOut", LABEL),
            "201": ok("Kept", "LabelOut", LABEL),
            **problems(400, 401, 404, 408, 409, 413, 415, 422, 500, 503),
        },
    }


def add_label_of() -> Json:
    """POST /v1/labels."""
    return {
        "operationId": "addLabelOf",
        "summary": "Say what a payment turned out to be",
        "description": "The payment is named by your `transaction_id` or by the `decision_id` of "
        "an answer, one of the two. " + _RULES,
        "tags": ["labels"],
        "security": SECURED,
        "requestBody": body(LABEL_OF, "LabelOfTransactionIn", "LabelOfDecisionIn"),
        "responses": {
            "200": ok("It was already said", "LabelOut", LABEL),
            "201": ok("Kept", "LabelOut", LABEL),
            **problems(400, 401, 404, 408, 409, 413, 415, 422, 500, 503),
        },
    }


def add_labels(max_rows: int) -> Json:
    """POST /v1/labels/batch."""
    wrong_row = {**PROBLEM, "errors": [{**PROBLEM["errors"][0], "pointer": "/labels/1/source"}]}
    return {
        "operationId": "addLabels",
        "summary": f"Say what up to {max_rows:,} payments turned out to be",
        "description": "Answers come in the order of the labels: each as it is kept, or a problem. "
        "One that cannot be kept does not stop the others. To send a batch again is safe.",
        "tags": ["labels"],
        "security": SECURED,
        "requestBody": body({"labels": [LABEL_OF]}, "LabelBatchIn"),
        "responses": {
            "200": ok(
                "An answer for each label", "LabelResultsOut", {"results": [LABEL, wrong_row]}
            ),
            **problems(400, 401, 408, 413, 415, 422, 500, 503),
        },
    }
