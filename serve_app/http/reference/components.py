"""The schemas of the OpenAPI document: the wire types, and what a type cannot say of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

Json = dict[str, Any]


def components(types: Iterable[type], max_rows: int) -> Json:
    """Name -> JSON Schema of the wire types and of all that they are made of.

    Args:
        types: msgspec structs.
        max_rows: rows of a batch at most.
    """
    _, found = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    for batch, rows in (("BatchIn", "transactions"), ("LabelBatchIn", "labels")):
        found[batch]["properties"][rows]["maxItems"] = max_rows
    for results in ("ResultsOut", "LabelResultsOut"):
        found[results]["properties"]["results"]["maxItems"] = max_rows
    _type_enums(found)
    _spell_out_addresses(found["TransactionIn"]["properties"]["ip_address"])
    return found


def _type_enums(node: Any) -> None:
    """Values that are listed are strings: a generated client wants to read that."""
    if isinstance(node, dict):
        if isinstance(node.get("enum"), list):
            node.setdefault("type", "string")
        for inner in node.values():
            _type_enums(inner)
    elif isinstance(node, list):
        for inner in node:
            _type_enums(inner)


def _spell_out_addresses(address: Json) -> None:
    """IPv4 or IPv6: two formats are two alternatives, each a type of its own, or a generated client
    takes the field for anything at all."""
    (text,) = (way for way in address["anyOf"] if way["type"] == "string")
    address["anyOf"] = [
        *({"type": "string", "format": f, "maxLength": text["maxLength"]} for f in _FORMATS),
        {"type": "null"},
    ]
    address |= {key: text[key] for key in ("description", "examples")}


_FORMATS = ("ipv4", "ipv6")
