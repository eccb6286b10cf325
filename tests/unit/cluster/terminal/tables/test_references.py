"""References for people, at eighty columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from rich.console import Console

from cluster.terminal.tables.references import reference_table, references_table
from references.profile.measure import measure
from tests.contracts.references import small_reference


def entry(name: str, **fields: Any) -> dict[str, Any]:
    given = {
        **{"version": "0123456789ab", "owner": "", "alias": "champion", "kind": "tabular"},
        **{"columns": 28, "rows": 142_403, "label_rate": 0.0017, "size_bytes": 1_400_000},
        **{"metrics": {"average_precision": 0.744}, "times_used": 3},
        "trained_at": "2026-11-30T10:00:00Z",
    }
    return {"name": name, **given, **fields}


def shown(*entries: dict[str, Any]) -> str:
    return printed(references_table({"references": list(entries)}))


def printed(renderable: Any) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_a_reference_is_shown_whole() -> None:
    text = shown(entry("account-opening-0"))
    for word in ("account-opening-0", "0123456789ab", "142,403", "0.17%", "0.744", "2026-11-30"):
        assert word in text
    assert "owner" not in text
    assert "alias" not in text


def test_owners_and_old_versions_are_told_where_there_are_any() -> None:
    text = shown(entry("cards", owner="acme"), entry("cards", alias="", metrics={}))
    for word in ("acme", "house", "champion", "avg prec"):
        assert word in text


def test_without_references_it_says_how_to_get_one() -> None:
    assert "quorum train" in references_table({"references": []})


def test_names_and_categories_with_brackets_are_shown_as_they_are() -> None:
    kinds = pa.array(["[/b]", "[red]"] * 50)
    reference, _ = small_reference(label="fraud[bool]", profiles=measure({"kind[/i]": kinds}))
    stored = {"id": "small@0123456789ab", "alias": "champion", "size_bytes": 1_400_000}
    where = {"location": "file:///store", "times_used": 1_234}
    text = printed(reference_table({**reference.to_document(), **stored, **where}))
    for word in ("fraud[bool]", "kind[/i]", "[/b] 50%", "[red] 50%", "by 1,234 jobs"):
        assert word in text
    assert "small-xgboost (scores files)" in text
