"""A layout for a file: guessed, tried on its first rows, and corrected if rows are rejected."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from data.guess.draft import Draft, LabelChoice, draft_layout
from data.guess.label import guess_label
from data.guess.layout_toml import layout_toml
from data.layout.layout import parse_layout
from data.load.dry_run import DryRun, dry_run
from data.rows.rejections import reason_told

OPTIONAL = (
    *("merchant_id", "merchant_category", "counterparty_id", "device_id", "ip_address", "country"),
    *("channel", "latitude", "longitude"),
)
"""Canonical fields without which a row is a payment all the same."""
_TRIED_ROWS = 5000
_TRIES = 6
_OFTEN = 0.02


def guess_layout(path: Path) -> str:
    """Return the TOML of a layout that loads the file, with comments on what to check.

    Raises:
        SourceUnreadable: the file is missing, empty or damaged, or has no numbers.
    """
    draft, tried = tried_draft(path)
    return layout_toml(draft, _results(tried))


def tried_draft(
    path: Path, label_of: LabelChoice = guess_label, without: Collection[str] = ()
) -> tuple[Draft, DryRun]:
    """Return a draft that loads the first rows of a file, and what a load of these did.

    Args:
        label_of: chooses the label.
        without: columns to leave out.

    Raises:
        SourceUnreadable: see `guess_layout`.
    """
    draft = draft_layout(path, label_of, without)
    return draft, _settled(draft, path)


def settled_layout(draft: Draft, path: Path) -> str:
    """Return the TOML of a draft that is tried on the first rows of a file and corrected.

    Raises:
        LayoutInvalid: the file lacks one of its columns.
        SourceUnreadable: the file is missing or damaged.
    """
    tried = _settled(draft, path)
    return layout_toml(draft, _results(tried))


def _settled(draft: Draft, path: Path) -> DryRun:
    """Correct a draft until a load of the first rows asks for no more; return that load."""
    for _ in range(_TRIES):
        layout = parse_layout(layout_toml(draft), "the guess")
        tried = dry_run(path, layout, _TRIED_ROWS)
        corrected = [_corrected(draft, reason, tried.rows) for reason in tried.reasons]
        if not any(corrected):
            break
    return tried


def _corrected(draft: Draft, reason: dict[str, Any], rows: int) -> bool:
    """Correct the draft for one reason why rows were rejected. Return whether it changed."""
    field, often = reason["field"], reason["rows"] / max(rows, 1) > _OFTEN
    amount = draft.fields["amount"]
    table = dict(amount) if isinstance(amount, dict) else {"column": amount}
    if reason["code"] == "too_precise" and "round" not in table:
        draft.fields["amount"] = table | {"round": True}
        draft.notes.append("amounts have more decimals than their currency: they are rounded")
    elif field in OPTIONAL and field in draft.fields and often:
        draft.fields.pop(field)
        draft.notes.append(f"{field} is not mapped: in some rows it {reason['reason']}")
    elif field == "currency" and often and not isinstance(draft.fields[field], dict):
        draft.fields[field] = {"constant": "USD"}
        draft.notes.append("the currency column also has other texts: USD is assumed; check")
    elif field == "known_at" and "known_at" in draft.label:
        for key in ("known_at", "undated_days"):
            draft.label.pop(key, None)
        draft.label["delay_days"] = 30
    else:
        return False
    return True


def _results(tried: DryRun) -> list[str]:
    counts = f"{tried.sound:,} sound, {tried.bad:,} refused"
    return [f"tried on the first {tried.rows:,} rows: {counts}"] + [
        f"{reason['rows']:,} rows: {reason_told(reason)}" for reason in tried.reasons[:5]
    ]
