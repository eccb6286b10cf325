"""The meaning of the words in answers, one sentence each, for the reference. The words themselves
are defined elsewhere; a test checks that the two agree."""

from __future__ import annotations

from typing import Final

from features import degraded
from fraud.combine.combine import RULES_ONLY
from fraud.record import RECORD_ON_ONE_DISK

OUTCOMES: Final[dict[str, str]] = {
    "approve": "Let the payment through.",
    "challenge": "Ask the customer to prove who they are, by a second factor for example; let the "
    "payment through if they do.",
    "review": "Hold the payment until a person has looked at it.",
    "block": "Refuse the payment.",
}
RISK_LEVELS: Final[dict[str, str]] = {
    "low": "goes with approve",
    "medium": "goes with challenge",
    "high": "goes with review",
    "critical": "goes with block",
}
TYPES: Final[dict[str, str]] = {
    "payment": "any other payment, of a bill for example",
    "purchase": "goods or services at a merchant",
    "transfer": "money to another account",
    "cash_in": "cash paid in",
    "cash_out": "cash taken out",
    "debit": "money collected from the customer, by direct debit for example",
    "refund": "money paid back by a merchant",
}
DEGRADED: Final[dict[str, str]] = {
    degraded.FEATURES_UNAVAILABLE: "The customer's live history could not be read. The decision "
    "rests on the request alone.",
    degraded.HISTORY_UNAVAILABLE: "The history of a customer, merchant, device or counterparty "
    "was not in Redis and could not be loaded in time. It counts as new.",
    degraded.RETRY_IN_FLIGHT: "A retry overtook its first attempt: the payment may have been "
    "counted in its own history.",
    degraded.TRANSACTION_REUSED: "The transaction_id belongs to an earlier payment with other "
    "content. This one is decided but not counted.",
    RECORD_ON_ONE_DISK: "PostgreSQL did not answer, so the record of this decision was on one "
    "machine's disk alone when the decision was returned. The decision itself is complete.",
    RULES_ONLY: "No model answered. Plain rules decided, and they never block.",
}
"""Degraded reason -> its meaning, except for reasons of variants."""

VARIANT_STATUSES: Final[dict[str, str]] = {
    "missing": "the model of this name is not deployed",
    "late": "the model did not answer within the plan's deadline",
    "failed": "the model answered with an error",
    "partial": "the model gave no score for this payment",
}
"""`variant_<status>:<name>`: status -> its meaning. The other models decided."""

STAGES: Final[dict[str, str]] = {
    "auth": "the key was looked up",
    "parse": "the body was read and checked",
    "wait": "the payment waited for a free lane",
    "limit": "the rate limits were checked",
    "features": "the history was fetched; includes `redis` and `assemble`",
    "votes": "the models voted; includes `variant:<name>`",
    "combine": "the votes were combined into a decision",
    "explain": "the reasons were found",
    "log": "the decision was written to disk",
    "database": "its record was written to PostgreSQL, if the operator wants that first",
}
PROBLEMS: Final[dict[str, str]] = {
    "malformed-body": "Send JSON in UTF-8.",
    "malformed-form": "Send `multipart/form-data`, whole, with the boundary that `Content-Type` "
    "names.",
    "malformed-head": "Send HTTP/1.1 and shorter headers: long cookies are the usual cause.",
    "unauthenticated": "Send a valid key. A revoked key is refused within 30 seconds.",
    "insufficient-scope": "`detail` names the scope. The operator adds it to the key, or gives you "
    "another key.",
    "not-found": "Check the id. Data of another tenant is not found either.",
    "method-not-allowed": "See `Allow`.",
    "not-acceptable": "`detail` names the formats. Change `Accept` or leave it out.",
    "timeout-reading-body": "Send the body faster.",
    "conflict": "Of a label: the same source gave the opposite verdict for the same time; send a "
    "newer `known_at`, or none. Of a job: `detail` names the state that does not allow this.",
    "body-too-large": "Send fewer rows in one request, or a smaller file.",
    "unsupported-media-type": "Send `Content-Type: application/json`, uncompressed; a file as "
    "`multipart/form-data`.",
    "range-not-satisfiable": "`Content-Range` has the size of the file.",
    "invalid-input": "`errors` names each wrong field by a pointer and a code. Correct them; the "
    "same request will be refused again.",
    "match-refused": "`match` has, for each model, what matched, what did not, and what would be "
    "needed. Correct the file or the options, or name a model in `model` to use it in any case.",
    "too-many-jobs": "Wait for a job to end, or cancel one.",
    "rate-limited": "Retry after `Retry-After` seconds.",
    "internal": "Report the `request_id` to the operator. It is safe to retry.",
    "overloaded": "Retry after `Retry-After` seconds.",
    "unavailable": "Retry after `Retry-After` seconds.",
    "timeout": "Retry with the same `transaction_id`.",
}
"""Slug of a problem -> what to do about it."""
