"""What `quorum references populate` prints."""

from __future__ import annotations

from rich.console import Console

from cluster.terminal.tables.populated import populated_table
from training.populate.populate import Populated


def test_figures_of_what_was_trained_and_reasons_of_what_was_not() -> None:
    made = [
        Populated("shop", "orders", "tabular", "trained", "", 0.4126, 0.93, 900, 12.4),
        Populated("ulb", "cards", "tabular", "no data", "no Parquet file in data/ulb"),
        Populated("bank", "transfers", "history", "unchanged"),
    ]
    console = Console(width=120)
    with console.capture() as capture:
        console.print(populated_table({"references": [one.to_document() for one in made]}))
    _, shop, ulb, bank = (line.split() for line in capture.get().splitlines())
    assert shop == ["shop", "tabular", "trained", "0.413", "0.930", "12", "orders"]
    assert ulb[2:7] == ["no", "data", "-", "-", "-"]
    assert ulb[-1] == "data/ulb"
    assert bank == ["bank", "history", "unchanged", "-", "-", "-", "transfers"]
