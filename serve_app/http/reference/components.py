"""The schemas of the OpenAPI document: the wire types, and what a type cannot express itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from serve_app.http.wire.schemas import MAX_ROWS_MARK

Json = dict[str, Any]

_ADDRESS_FORMATS = ("ipv4", "ipv6")


def components(types: Iterable[type], max_rows: int) -> Json:
    """Return name -> JSON Schema of the wire types and of all types that they consist of.

    Args:
        types: msgspec structs.
        max_rows: most rows of a batch.
    """
    _, found = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    _complete(found, max_rows)
    _spell_out_addresses(found["TransactionIn"]["properties"]["ip_address"])
    return found


def _complete(node: Any, max_rows: int) -> None:
    """Fill in the rows of a batch, and the type of enumerated values: client generators need it."""
    if isinstance(node, dict):
        if node.get("maxItems") == MAX_ROWS_MARK:
            node["maxItems"] = max_rows
        if isinstance(node.get("enum"), list):
            node.setdefault("type", "string")
        for inner in node.values():
            _complete(inner, max_rows)
    elif isinstance(node, list):
        for inner in node:
            _complete(inner, max_rows)


def _spell_out_addresses(address: Json) -> None:
    """Make IPv4 and IPv6 two alternatives with a type each: client generators take a field with two
    formats for anything at all."""
    (text,) = (way for way in address["anyOf"] if way["type"] == "string")
    address["anyOf"] = [
        *(
            {"type": "string", "format": name, "maxLength": text["maxLength"]}
            for name in _ADDRESS_FORMATS
        ),
        {"type": "null"},
    ]
    address |= {key: text[key] for key in ("description", "examples")}
