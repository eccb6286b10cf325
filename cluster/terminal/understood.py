"""What `quorum train --auto` says about a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_SHOWN = 12


def understood_text(document: Mapping[str, Any]) -> str:
    """Return what a file was understood to be, a few lines."""
    kind = {
        "history": "payments with customers and times: features of their history",
        "tabular": "a table: its own columns",
    }[document["kind"]]
    label = document["label"]
    lines = [
        f"{document['name']}: {kind}",
        f"label: {label['column']}: {_texts(label['fraud'])} means fraud,"
        f" {_texts(label['genuine'])} genuine",
        f"rows: {document['rows']:,}, of which {document['labelled']:,} are labelled and"
        f" {document['frauds']:,} fraud ({document['rate']:.2%})",
    ]
    if document["first"] is not None:
        lines.append(f"time: {document['first']} to {document['last']}")
    lines += _used(document["kind"], document["used"])
    lines += [f"not used: {name}: {why}" for name, why in list(document["unused"].items())[:_SHOWN]]
    if len(document["unused"]) > _SHOWN:
        lines.append(f"not used: {len(document['unused']) - _SHOWN} more columns")
    return "\n".join([*lines, *(f"note: {note}" for note in document["notes"])])


def _texts(texts: Sequence[str]) -> str:
    return " or ".join(f"'{text}'" if text else "an empty cell" for text in texts)


def _used(kind: str, used: Mapping[str, str]) -> list[str]:
    if kind == "history":
        return [f"{field}: {columns}" for field, columns in used.items()]
    kinds = {of: [name for name, what in used.items() if what == of] for of in used.values()}
    plural = {"number": "numbers", "category": "categories"}
    return [f"{plural[of]}: {', '.join(names)}" for of, names in kinds.items()]
