"""Submitted plans: checked in full before they are stored or activated."""

from __future__ import annotations

from typing import Any, Final

from deciding.plans.check import Models, faults_of
from deciding.plans.versions import NAME, read_document
from fraud.errors import InvalidInput
from fraud.plan import Plan
from fraud.policy.reading import DEEPEST

RESERVED: Final = "active"
"""No plan's name: addresses and commands mean the plan that decides."""

_DEEPEST = 8 * DEEPEST
"""Levels of JSON: each level of sub-plans takes three at most."""


def read_submitted(document: Any, owner: str, models: Models, schema_id: str) -> Plan:
    """Return the plan in a document that may be wrong in any way. Blocks.

    Its version is ignored, and so are the slots of its arms: both follow from the version before.

    Args:
        document: JSON types only.
        owner, models, schema_id: see `deciding.plans.check.faults_of`.

    Raises:
        InvalidInput: it is not a plan, or names models that the owner cannot use; `errors` has the
            place of each fault.
        ArtifactsUnavailable: the models cannot be looked up.
    """
    if isinstance(document, dict):
        document = {**_without_slots(document), "version": 1}
    plan = read_document(document)
    if not NAME.fullmatch(plan.name) or plan.name == RESERVED:
        what = "expected letters, digits, dots, dashes and underscores, not the word `active`"
        raise InvalidInput(f"name: {what}", (("/name", "out_of_range", what),))
    require_models(document, owner, models, schema_id)
    return plan


def require_models(document: Any, owner: str, models: Models, schema_id: str) -> None:
    """Raise InvalidInput if a valid plan names models that its owner cannot use; see
    `read_submitted`. Blocks."""
    faults = faults_of(document, owner, models, schema_id)
    if faults:
        raise InvalidInput("the plan names models that it cannot use", faults)


def _without_slots(value: Any, in_arms: bool = False, level: int = 0) -> Any:
    """A document without the slots of arms, which change with the weights. What lies deeper than
    any plan may stays as it is, to be refused."""
    if level > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_without_slots(item, in_arms, level + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_slots(item, key == "arms", level + 1)
        for key, item in value.items()
        if not (in_arms and key == "slots")
    }
