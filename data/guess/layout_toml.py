"""A draft written as the TOML of a layout."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from data.guess.draft import Draft


def layout_toml(draft: Draft, results: Sequence[str] = ()) -> str:
    """Return the TOML of a draft, with its notes and `results` as comments."""
    lines = [f"name = {_value(draft.name)}", 'about = "guessed by quorum layout guess"']
    lines += [f"# {_one_line(note)}" for note in [*draft.notes, *results]]
    if file := _file(draft):
        lines += ["", "[file]", *_pairs(file)]
    lines += ["", "[columns]", *_pairs(draft.fields)]
    if draft.label:
        lines += ["", "[label]", *_pairs(draft.label)]
    if draft.numeric or draft.categorical:
        lines += ["", "# For quorum train --tabular: the columns of a table without customers."]
        lines += ["[tabular]", f"numeric = {_value(draft.numeric)}"]
        lines += [f"categorical = {_value(draft.categorical)}"]
    return "\n".join(lines) + "\n"


def _pairs(table: Mapping[str, object]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _file(draft: Draft) -> dict[str, object]:
    found: dict[str, object] = {"decimal": ","} if draft.decimal == "," else {}
    dialect = draft.dialect
    if dialect is None:
        return found
    if dialect.delimiter != ",":
        found["delimiter"] = dialect.delimiter
    if dialect.encoding != "utf-8":
        found["encoding"] = dialect.encoding
    if dialect.quote != '"':
        found["quote"] = dialect.quote or "none"
    if not dialect.header:
        found["header"] = False
    if dialect.skip_lines:
        found["skip_lines"] = dialect.skip_lines
    return found


def _value(value: object) -> str:
    """A value in TOML. A string in JSON is one in TOML too."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(key))} = {_value(v)}" for key, v in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else _value(key)


def _one_line(text: str) -> str:
    return " ".join(text.split())
