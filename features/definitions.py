"""Every feature a model sees, in order. Hashed into the schema id.

A new feature is a declaration in `declared/`, a column in the function of its family (`families/`),
and a test. Matrix (`transform.py`), schema id, reasons and `docs/features.md` follow from these.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from features.declaration import Family, Feature
from features.declared import customer, flows, labels, request, windows
from features.state.entities import COUNTERPARTY, CUSTOMER, ENTITIES, LAYOUT_ID, MERCHANT
from fraud.reasons.wording import check_wordings
from fraud.rules.rule_set import RuleSet

FAMILIES: tuple[Family, ...] = (
    request.numbers(),
    request.codes(),
    *(windows.windows(entity) for entity in ENTITIES),
    *(windows.last(entity) for entity in ENTITIES),
    customer.partners(),
    *(customer.relative_to(entity) for entity in (CUSTOMER, MERCHANT)),
    customer.habits(),
    *(labels.frauds(entity) for entity in ENTITIES),
    customer.places(),
    request.near_threshold(),
    *(customer.near_counts(entity) for entity in (CUSTOMER, COUNTERPARTY)),
    customer.near_share(),
    flows.payer(),
    flows.payee(),
    customer.categories(),
)
FEATURES: tuple[Feature, ...] = tuple(f for family in FAMILIES for f in family.features)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
N_FEATURES = len(FEATURES)
CATEGORICAL: tuple[str, ...] = tuple(f.name for f in FEATURES if f.dtype == "category")

RULE_SET = RuleSet(NAMES)
"""The rules that decide when no model answers, bound to these features. A rule that reads a feature
which does not exist is an error here, and so is a wording that names one."""
check_wordings((feature.wording for feature in FEATURES), NAMES)


def schema_id_of(features: Sequence[Feature]) -> str:
    """Identify `features`, their order and the layout of state in 12 hexadecimal digits. Their
    wording in reasons is left out: it changes no value."""
    document = json.dumps([LAYOUT_ID, [_hashed(feature) for feature in features]])
    return hashlib.sha256(document.encode()).hexdigest()[:12]


def _hashed(f: Feature) -> tuple[object, ...]:
    return f.name, f.family, f.meaning, f.missing, f.entity, f.window, f.dtype, f.cardinality


SCHEMA_ID = schema_id_of(FEATURES)
"""The served schema: a model trained on another one is refused."""
