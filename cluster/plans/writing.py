"""Writes the document of a plan as YAML that a person can read and change."""

from __future__ import annotations

from typing import Any

import yaml

from cluster.plans.reading import core_value

WIDTH = 98
_ONE_LINE = 6
"""Objects of at most so many plain values are written in one line."""
_FIRST = ("name", "version", "kind")


class _Dumper(yaml.SafeDumper):
    """Indents arrays below their key, and repeats values instead of naming them by an anchor."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_object(dumper: _Dumper, found: dict[str, Any]) -> yaml.Node:
    is_plain = not any(isinstance(value, dict | list | tuple) for value in found.values())
    return dumper.represent_mapping(
        "tag:yaml.org,2002:map",
        list(found.items()),
        flow_style=is_plain and len(found) <= _ONE_LINE,
    )


def _represent_array(dumper: _Dumper, found: list[Any]) -> yaml.Node:
    return dumper.represent_sequence(
        "tag:yaml.org,2002:seq", found, flow_style=not any(_has_objects(item) for item in found)
    )


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    # By version 1.1 other texts need quotes, which the dumper adds by itself.
    style = None if core_value(text) == text else "'"
    if not text.isprintable():
        style = '"'  # between other quotes a line break means a blank
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _has_objects(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list | tuple) and any(_has_objects(item) for item in value)
    )


_Dumper.add_representer(dict, _represent_object)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_array)
_Dumper.add_representer(tuple, lambda dumper, found: _represent_array(dumper, list(found)))


def tidy(document: Any) -> Any:
    """Return a plan's document without what says nothing: nulls and empty arrays. It is the same
    plan: `step` is kept, as its null means that a canary is taken out."""
    if isinstance(document, list | tuple):
        return [tidy(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: tidy(value)
        for key, value in document.items()
        if key == "step" or not (value is None or value in ([], ()))
    }


def yaml_of(document: dict[str, Any]) -> str:
    """Return a plan's document as YAML, which `reading.read_plan_text` inverts."""
    first = {key: document[key] for key in _FIRST if key in document}
    rest = {key: value for key, value in document.items() if key not in first}
    return yaml.dump(
        {**first, **rest}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH
    )
