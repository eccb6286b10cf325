"""Chunks of rows, and a layout with every kind of field for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from data.files.source import Chunk
from data.layout.layout import Layout, parse_layout

COLUMNS = """
name = "mine"
[columns]
transaction_id = "id"
customer_id = "card"
timestamp = "at"
amount = "value"
currency = "money"
type = { column = "kind", values = { BUY = "purchase" } }
merchant_id = { column = "to", matches = "^M", prefix = "shop-" }
counterparty_id = { column = "to", matches = "^C" }
country = "land"
ip_address = "ip"
latitude = "north"
longitude = "east"
[label]
column = "y"
delay_days = 2
"""


SOUND: dict[str, Any] = {
    "id": "t1",
    "card": "c1",
    "at": "2024-02-29T12:00:00.123Z",
    "value": "12.34",
    "money": "USD",
    "kind": "BUY",
    "to": "M7",
    "land": "US",
    "ip": "8.8.8.8",
    "north": "1.5",
    "east": "-2",
    "y": "0",
}


def chunk(*rows: dict[str, Any]) -> Chunk:
    """Rows like `SOUND`, each with other cells, from line 2."""
    full = [{**SOUND, **row} for row in rows]
    numbers = np.arange(1, len(rows) + 1)
    columns = {name: pa.array([r[name] for r in full]) for name in SOUND}
    return Chunk(numbers, numbers + 1, columns, [], len(rows), 1.0)


def layout(change: tuple[str, str] = ("", "")) -> Layout:
    """The layout `COLUMNS` with one part of its text replaced."""
    return parse_layout(COLUMNS.replace(*change) if change[0] else COLUMNS, "mine.toml")
