"""A layout's TOML for a file: guessed, tried on its first rows, mended where they were refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from data.guess.draft import Draft, draft
from data.layout.layout import parse_layout
from data.load.dry_run import DryRun, dry_run

_OPTIONAL = (
    *("merchant_id", "merchant_category", "counterparty_id", "device_id", "ip_address", "country"),
    *("channel", "latitude", "longitude"),
)
_TRIED_ROWS = 5000
_TRIES = 6


def guess_layout(path: Path) -> str:
    """TOML of a layout that loads the file, with comments on what to look at.

    Raises:
        SourceUnreadable: the file is missing, empty or damaged, or has no numbers.
    """
    made = draft(path)
    for _ in range(_TRIES):
        text = _toml(made)
        tried = dry_run(path, parse_layout(text, "the guess"), _TRIED_ROWS)
        if not _mended(made, tried):
            break
    return _toml(made, _outcome(tried))


def _mended(made: Draft, tried: DryRun) -> bool:
    """Whether something of the draft was changed because of rows that were refused."""
    changed = False
    for reason in tried.reasons:
        field, share = reason["field"], reason["rows"] / max(tried.rows, 1)
        amount = made.fields["amount"]
        plain = dict(amount) if isinstance(amount, dict) else {"column": amount}
        if reason["code"] == "too_precise" and "round" not in plain:
            made.fields["amount"] = plain | {"round": True}
            made.notes.append("amounts have more decimals than their currency: they are rounded")
            changed = True
        elif field in _OPTIONAL and field in made.fields and share > 0.02:
            column = made.fields.pop(field)
            made.notes.append(f"{field} is not mapped: of {column} {reason['reason']}")
            changed = True
        elif field == "currency" and share > 0.02 and not isinstance(made.fields[field], dict):
            made.fields[field] = {"constant": "USD"}
            made.notes.append("the column of currencies has other texts: USD stands there; check")
            changed = True
        elif field == "known_at" and "known_at" in made.label:
            made.label = {
                k: v for k, v in made.label.items() if k not in ("known_at", "undated_days")
            }
            made.label["delay_days"] = 30
            changed = True
    return changed


def _outcome(tried: DryRun) -> list[str]:
    said = [f"tried on the first {tried.rows:,} rows: {tried.sound:,} sound, {tried.bad:,} refused"]
    return said + [
        f"{reason['rows']:,} rows: {reason['field'] or 'the row'} {reason['reason']}"
        for reason in tried.reasons[:5]
    ]


def _toml(made: Draft, outcome: list[str] | None = None) -> str:
    lines = [f"name = {_value(made.name)}", 'about = "guessed by quorum layout guess"']
    lines += [f"# {_one_line(note)}" for note in [*made.notes, *(outcome or [])]]
    file = _file(made)
    if file:
        lines += ["", "[file]", *(f"{key} = {_value(value)}" for key, value in file.items())]
    lines += ["", "[columns]"]
    lines += [f"{name} = {_value(value)}" for name, value in made.fields.items()]
    if made.label:
        lines += ["", "[label]", *(f"{key} = {_value(v)}" for key, v in made.label.items())]
    if made.numeric or made.categorical:
        lines += ["", "# For quorum train --tabular: the columns of a table that names nobody."]
        lines += ["[tabular]", f"numeric = {_value(made.numeric)}"]
        lines += [f"categorical = {_value(made.categorical)}"]
    return "\n".join(lines) + "\n"


def _file(made: Draft) -> dict[str, object]:
    found: dict[str, object] = {"decimal": ","} if made.decimal == "," else {}
    form = made.dialect
    if form is None:
        return found
    if form.delimiter != ",":
        found["delimiter"] = form.delimiter
    if form.encoding != "utf-8":
        found["encoding"] = form.encoding
    if form.quote != '"':
        found["quote"] = form.quote or "none"
    if not form.header:
        found["header"] = False
    if form.skip_lines:
        found["skip_lines"] = form.skip_lines
    return found


def _value(value: object) -> str:
    """A value in TOML; a text of JSON is one of TOML."""
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
