"""A sketch of a table: at most 2,000 of its rows, without ids and texts.

Numbers, times and categories stay as they are in the file. An id or a text is replaced by its shape
(`A1{10}`), so that a sketch names nobody.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from data.cells.texts import DEFAULT_MISSING, texts
from fraud.errors import ArtifactRefused
from references.profile.column import ColumnKind, ColumnProfile
from references.profile.draw import RowDraw
from references.profile.plain import plain
from references.profile.shape import shape_of

SKETCH_ROWS = 2_000
_LONGEST_SHAPE = 60
_HIDDEN = (ColumnKind.IDENTIFIER, ColumnKind.TEXT)


def sketch(
    columns: Mapping[str, pa.Array | pa.ChunkedArray],
    profiles: Sequence[ColumnProfile],
    *,
    missing: Collection[str] = DEFAULT_MISSING,
    seed: int = 0,
) -> pa.Table:
    """Return a sketch of a table: rows drawn without bias by their number, in its order.

    Args:
        columns: name -> n values.
        profiles: of the columns to keep, in the order of the sketch.
        missing: texts that mean a missing value.
        seed: another seed draws other rows.
    """
    draw = RowDraw(SKETCH_ROWS, seed)
    draw.add({profile.name: columns[profile.name] for profile in profiles})
    return sketch_of(draw.rows(), profiles, missing=missing)


def sketch_of(
    rows: pa.Table,
    profiles: Sequence[ColumnProfile],
    *,
    missing: Collection[str] = DEFAULT_MISSING,
) -> pa.Table:
    """Return the sketch of rows that were drawn before: their ids and texts become shapes.

    Args:
        rows: at most `SKETCH_ROWS`, with at least the columns of the profiles.
        profiles: of the columns to keep, in the order of the sketch.
        missing: texts that mean a missing value.
    """
    kept = {}
    for profile in profiles:
        cells = plain(rows.column(profile.name))
        kept[profile.name] = _shapes(cells, frozenset(missing)) if _hides(profile) else cells
    return pa.table(kept)


def sketch_bytes(table: pa.Table) -> bytes:
    """Return a sketch as a Parquet file. Equal sketches are equal bytes."""
    body = io.BytesIO()
    pq.write_table(table, body, compression="zstd", use_dictionary=True)
    return body.getvalue()


def sketch_from(body: bytes, name: str = "sketch") -> pa.Table:
    """Invert `sketch_bytes`.

    Args:
        name: of the artifact, for error texts.

    Raises:
        ArtifactRefused: it is not a sketch.
    """
    try:
        table = pq.read_table(io.BytesIO(body))
    except (pa.ArrowException, OSError) as error:
        raise ArtifactRefused(f"{name}: no readable sketch") from error
    if table.num_rows > SKETCH_ROWS:
        raise ArtifactRefused(f"{name}: a sketch has at most {SKETCH_ROWS:,} rows")
    return table


def _hides(profile: ColumnProfile) -> bool:
    """Whether the cells of a column name or describe somebody; one id in every row, too."""
    constant = profile.kind is ColumnKind.CONSTANT and not (
        profile.categories or profile.quantiles or profile.time_format
    )
    return constant or profile.kind in _HIDDEN


def _shapes(cells: pa.Array, missing: frozenset[str]) -> pa.Array:
    found = texts(cells, missing).values.to_pylist()
    made = [None if text is None else shape_of(text)[:_LONGEST_SHAPE] for text in found]
    return pa.array(made, pa.string())
