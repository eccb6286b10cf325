"""Labels in a second file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from data.files.source import Chunk, SourceUnreadable, open_source
from data.layout.layout import load_layout
from data.rows.canonical import canonical_rows
from data.rows.label_join import read_joined_labels
from data.rows.labels import JoinedLabels
from tests.contracts.chunks import chunk


@pytest.mark.parametrize("both", [True, False])
def test_joined_labels_need_every_column(both: bool) -> None:
    part = chunk({})
    cells = {"sourceNodeId": 1, "targetNodeId": 2, "value": 5.0, "time": 3}
    columns = {k: pa.array([v]) for k, v in cells.items()}
    joined = {"1": 1, "2": int(both)}
    plan = load_layout("amlsim")
    found = canonical_rows(Chunk(part.rows, part.lines, columns), plan, "tag", JoinedLabels(joined))
    assert found.table["is_fraud"].to_pylist() == [both]
    unknown = canonical_rows(
        Chunk(part.rows, part.lines, columns), plan, "tag", JoinedLabels({"1": 1})
    )
    assert unknown.table["is_fraud"].to_pylist() == [None]


def test_contradicting_labels_in_a_second_file_are_not_labels(tmp_path: Path) -> None:
    first = tmp_path / "a_transactions.csv"
    first.write_text("sourceNodeId,targetNodeId,value,time\n1,2,5,3\n1,3,5,3\n1,4,5,3\n1,9,5,3\n")
    (tmp_path / "a_nodes.csv").write_text("nodeid,isFraud\n1.0,1\n2,1\n3,1\n3,0\n4,perhaps\n")
    plan = load_layout("amlsim")
    source = open_source(first, plan.dialect)
    [part] = source.chunks(plan.columns(), 0, None)
    found = canonical_rows(part, plan, "tag", read_joined_labels(first, plan))
    assert found.table["is_fraud"].to_pylist() == [True, None]
    assert [(b.row, b.code) for b in found.bad] == [(2, "not_a_label"), (3, "not_a_label")]
    assert found.left_out == {"not in the second file": 1}
    (tmp_path / "a_nodes.csv").write_text('nodeid,isFraud\n1,1\n2,"1\n')
    with pytest.raises(SourceUnreadable, match=r"a_nodes.csv: line 3"):
        read_joined_labels(first, plan)
