"""Micro-batches: rows keep together whatever is done to columns, and cross processes whole."""

from __future__ import annotations

import pickle
from dataclasses import fields

import numpy as np
import pytest

from fraud.decision import DecisionBatch, Reason, Vote
from fraud.payment.batch import COLUMNS, FeatureBatch, TransactionBatch
from fraud.score import VariantScores
from tests.contracts.decisions import decided, transactions


def crossed(value):
    return pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def rows(batch: TransactionBatch) -> list[tuple]:
    return list(zip(*(getattr(batch, name) for name in COLUMNS), strict=True))


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (1, 1), (3, 0, 2)])
def test_concat_keeps_rows_together_and_in_order(sizes):
    parts = [transactions(n, f"p{k}-") for k, n in enumerate(sizes)]
    assert rows(TransactionBatch.concat(parts)) == [row for part in parts for row in rows(part)]


def test_take_and_slice():
    batch = transactions(5)
    assert rows(batch.take([4, 0, 4])) == [rows(batch)[i] for i in (4, 0, 4)]
    assert rows(batch.slice(1, 3)) == rows(batch)[1:3]
    assert rows(batch.slice(3, 9)) == rows(batch)[3:]


def noted(n: int, prefix: str = "t") -> TransactionBatch:
    batch = transactions(n, prefix)
    batch.metadata = [f'{{"id":"{name}"}}' for name in batch.transaction_id]
    batch.stages = [f'"wait":{i}' for i in range(n)]
    return batch


def test_metadata_and_stages_follow_their_row():
    batch = noted(4)
    assert crossed(batch) == batch
    for part, rows_of in ((batch.take([3, 1]), (3, 1)), (batch.slice(1, 3), (1, 2))):
        assert part.metadata == [batch.metadata[i] for i in rows_of]
        assert part.stages == [batch.stages[i] for i in rows_of]
    both = TransactionBatch.concat([transactions(2, "a"), noted(2, "b"), transactions(1, "c")])
    assert both.metadata == [None, None, '{"id":"b0"}', '{"id":"b1"}', None]
    assert both.stages == ["", "", '"wait":0', '"wait":1', ""]
    assert both.row(2).metadata == {"id": "b0"}
    assert TransactionBatch.of("default", map(both.row, range(5))).row(2) == both.row(2)
    bare = both.bare()
    assert (bare.metadata, bare.stages, rows(bare)) == (None, None, rows(both))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_batches_cross_processes_whole(n):
    batch = transactions(n)
    features, decisions = decided(batch)
    features.stage_ms["redis"] = 0.5
    assert crossed(batch) == batch
    there = crossed(features)
    assert there.values.dtype == np.float32
    assert there.values.flags.c_contiguous
    np.testing.assert_array_equal(there.values, features.values)
    np.testing.assert_array_equal(there.age_ms, features.age_ms)
    for name in ("schema_id", "degraded", "stage_ms"):
        assert getattr(there, name) == getattr(features, name)
    came = crossed(decisions)
    for name in (f.name for f in fields(DecisionBatch) if f.name != "votes"):
        assert getattr(came, name) == getattr(decisions, name)
    for vote, other in zip(came.votes, decisions.votes, strict=True):
        np.testing.assert_array_equal(vote.scores, other.scores)
        assert (vote.variant, vote.version, vote.digest) == (
            other.variant,
            other.version,
            other.digest,
        )


def test_a_batch_that_crossed_crosses_again():
    features, _ = decided(transactions(2))
    np.testing.assert_array_equal(crossed(crossed(features)).values, features.values)


def test_columns_of_a_matrix_cross_too():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    there = crossed(FeatureBatch(values, "s", np.arange(3)))
    np.testing.assert_array_equal(there.values, values)


def test_votes_and_scores_cross_whole():
    silent = Vote("a", "", "late", None, 12.5)
    assert crossed(silent) == silent
    assert crossed(Reason("A", None, "why", 0.5)) == Reason("A", None, "why", 0.5)
    scores = VariantScores("v", "d", np.array([0.5, np.nan]))
    there = crossed(scores)
    assert (there.version, there.digest) == ("v", "d")
    np.testing.assert_array_equal(there.scores, scores.scores)
