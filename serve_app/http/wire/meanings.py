"""What the words in answers mean: one sentence each, for the reference. Which words there are is
said elsewhere; a test holds the two together."""

from __future__ import annotations

from typing import Final

from features import degraded
from fraud.combine.combine import RULES_ONLY

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
    "payment": "a payment to somebody, where nothing below fits better, a bill for example",
    "purchase": "goods or services at a merchant",
    "transfer": "money to another account",
    "cash_in": "cash paid in",
    "cash_out": "cash taken out",
    "debit": "money that is collected from the customer, a direct debit for example",
    "refund": "money that a merchant gives back",
}
DEGRADED: Final[dict[str, str]] = {
    degraded.FEATURES_UNAVAILABLE: "The customer's live history could not be read. What the "
    "request itself says decided.",
    degraded.HISTORY_UNAVAILABLE: "A customer, merchant, device or counterparty was not in fast "
    "memory, and its history did not come in time. It counts as new.",
    degraded.RETRY_IN_FLIGHT: "A retry overtook its first attempt: it may have counted itself.",
    degraded.TRANSACTION_REUSED: "The transaction_id belongs to a payment that said something "
    "else. This one was decided as it is, and is not counted.",
    RULES_ONLY: "No model answered. Plain rules decided, and they go no further than review.",
}
"""Degraded reason -> what it means, but for those of variants."""

VARIANT_STATUSES: Final[dict[str, str]] = {
    "missing": "the model of this name is not deployed",
    "late": "the model did not answer within the plan's deadline",
    "failed": "the model answered with an error",
    "partial": "the model gave no number for this payment",
}
"""`variant_<status>:<name>`: status -> what it means. The other models decided."""

STAGES: Final[dict[str, str]] = {
    "auth": "the key was looked up",
    "parse": "the body was read and checked",
    "wait": "the payment waited for its turn",
    "limit": "the key's rate limits were asked",
    "features": "the history was fetched; `redis` and `assemble` lie within",
    "votes": "until every model answered; `variant:<name>` lies within",
    "combine": "votes became a decision",
    "explain": "reasons were found",
    "log": "until the decision was on disk",
}
PROBLEMS: Final[dict[str, str]] = {
    "malformed-body": "Send JSON in UTF-8.",
    "malformed-head": "Send HTTP/1.1, and a shorter head: long cookies are the usual cause.",
    "unauthenticated": "Send a valid key: see above. A key that was revoked is refused within 30 "
    "seconds.",
    "not-found": "Look at the id. What belongs to another tenant is not found either.",
    "method-not-allowed": "See `Allow`.",
    "timeout-reading-body": "Send the body faster.",
    "conflict": "One source said two things of one moment. To correct a label send a newer "
    "`known_at`, or none.",
    "body-too-large": "Send fewer rows at once.",
    "unsupported-media-type": "Send `Content-Type: application/json`, uncompressed.",
    "invalid-input": "`errors` names each wrong field by a pointer and a code. Correct them; the "
    "same request will be refused again.",
    "rate-limited": "Wait for `Retry-After` seconds, then send it again.",
    "internal": "Tell the operator the `request_id`. To retry is safe.",
    "overloaded": "Wait for `Retry-After` seconds, then send it again.",
    "unavailable": "Wait for `Retry-After` seconds, then send it again.",
    "timeout": "Send it again with the same `transaction_id`.",
}
"""Slug of a problem -> what to do about it."""
