"""Reads the document of a plan from YAML or JSON, and knows the line of each of its places.

YAML is read by version 1.2 (core schema). By version 1.1, which PyYAML follows, the country `NO`
and the key `on` would be booleans.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fraud.errors import InvalidInput

Fault = tuple[str, str, str]

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 64
MAX_VALUES = 200_000
"""Most values in a document. An alias of YAML counts as often as it is used."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class PlanText:
    """A document as it was written.

    Attributes:
        document: JSON types only.
        lines: RFC 6901 pointer -> its line, from 1; empty for JSON.
    """

    document: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, pointer: str) -> int | None:
        """Return the line of a place, or of the nearest place around it; None if unknown."""
        while pointer not in self.lines:
            if not pointer:
                return None
            pointer = pointer.rpartition("/")[0]
        return self.lines[pointer]

    def located(self, faults: Iterable[Fault]) -> list[str]:
        """Return one line of text for each fault: where it is, and what is wrong."""
        said = []
        for pointer, _, detail in faults:
            line = self.line_of(pointer)
            where = [*([] if line is None else [f"line {line}"]), *([pointer] if pointer else [])]
            said.append(": ".join([*([", ".join(where)] if where else []), detail]))
        return said


def read_plan_file(path: Path) -> PlanText:
    """Read a file.

    Raises:
        OSError: it cannot be read.
        InvalidInput: see `read_plan_text`.
    """
    with path.open("rb") as file:
        body = file.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise InvalidInput(f"expected at most {MAX_BYTES // 1024 // 1024} MiB")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("expected text in UTF-8") from None
    return read_plan_text(text)


def read_plan_text(text: str) -> PlanText:
    """Read the document of a plan: JSON if it begins with a brace, YAML otherwise.

    Raises:
        InvalidInput: it is neither, has a key twice, is nested too deep, or is no object.
    """
    if text.lstrip().startswith("{"):
        try:
            return PlanText(_json(text))
        except json.JSONDecodeError:
            pass  # a YAML file may begin with a brace, too
        except RecursionError:
            raise _too_deep() from None
    reader = _YamlReader()
    try:
        _require_shallow(text)
        node = yaml.compose(text, Loader=_Loader)
        document = None if node is None else reader.read(node, "", 0)
    except yaml.YAMLError as error:
        raise InvalidInput(f"this is not YAML: {_problem(error)}") from None
    if not isinstance(document, dict):
        raise InvalidInput("expected an object with the fields of a plan")
    return PlanText(document, reader.lines)


def _json(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InvalidInput(f"the key {twice!r} is there twice")
        return found

    return json.loads(text, object_pairs_hook=unique)


def _require_shallow(text: str) -> None:
    """Refuse deep nesting, on which PyYAML's composer in C would overflow the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep()
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _YamlReader:
    """Turns YAML's nodes into a document.

    Attributes:
        lines: see `PlanText`.
    """

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self._values = 0

    def read(self, node: yaml.Node, pointer: str, depth: int) -> Any:
        """Return the value of a node."""
        self._values += 1
        if self._values > MAX_VALUES:
            raise InvalidInput(f"expected at most {MAX_VALUES:,} values")
        if depth > MAX_DEPTH:
            raise _too_deep()
        self.lines.setdefault(pointer, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._object(node, pointer, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(n, f"{pointer}/{i}", depth + 1) for i, n in enumerate(node.value)]
        return node.value if getattr(node, "style", None) else core_value(node.value)

    def _object(self, node: yaml.MappingNode, pointer: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise InvalidInput(f"line {line}: expected text as a key")
            key: str = key_node.value
            if key in found:
                raise InvalidInput(f"line {line}: the key {key!r} is there twice")
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            self.lines[place] = line
            found[key] = self.read(value_node, place, depth + 1)
        return found


def core_value(text: str) -> Any:
    """Return the value of a scalar without quotes, by YAML's core schema."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _too_deep() -> InvalidInput:
    return InvalidInput(f"expected at most {MAX_DEPTH} levels")


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "it cannot be read"
    return what if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: {what}"
