"""What crosses a link as plain values is the same at the other end."""

from __future__ import annotations

import pickle
from dataclasses import fields

import numpy as np
import pytest

from deployments.links.plain import plain, whole
from fraud.batch import FeatureBatch, TransactionBatch
from fraud.decision import DecisionBatch, Reason, Vote
from fraud.explanation import Explanation
from fraud.score import VariantScores
from tests.contracts.decisions import transactions

VALUES = np.array([[0.5, np.nan], [1.5, -2.0]], dtype=np.float32)
SCORES = np.array([0.25, np.nan])


def crossed(value):
    return whole(*pickle.loads(pickle.dumps(plain(value), 5)))


def assert_same(found, sent):
    assert type(found) is type(sent)
    if isinstance(sent, np.ndarray):
        assert found.dtype == sent.dtype
        np.testing.assert_array_equal(found, sent)
    elif isinstance(
        sent, Explanation | FeatureBatch | VariantScores | DecisionBatch | TransactionBatch | Vote
    ):
        for field in fields(sent):
            assert_same(getattr(found, field.name), getattr(sent, field.name))
    elif isinstance(sent, tuple | list):
        assert len(found) == len(sent)
        for one, other in zip(found, sent, strict=True):
            assert_same(one, other)
    else:
        assert found == sent


@pytest.mark.parametrize("n", [0, 1, 5])
def test_transactions(n):
    assert_same(crossed(transactions(n)), transactions(n))


def test_features():
    times = np.array([7, -1])
    assert_same(
        crossed(FeatureBatch(VALUES, "schema", times, [(), ("why",)], {"redis": 0.5}, (1, 2))),
        FeatureBatch(VALUES, "schema", times, [(), ("why",)], {"redis": 0.5}, (1, 2)),
    )


def test_scores():
    sent = VariantScores("v1", "d" * 64, SCORES)
    assert_same(crossed(sent), sent)


def test_decisions_with_their_votes_and_reasons():
    votes = (Vote("a", "v1", "ok", SCORES, 1.5, "d" * 64), Vote("b", "", "late", None, 100.0))
    reasons = [(), (Reason("CODE", "feature", "a sentence", 0.5),)]
    ids = ["i1", "i2"]
    sent = DecisionBatch(
        *(ids, ["t1", "t2"], [0, 2], [0.1, 0.7], [12, 55], [0.5, 0.5], reasons, votes),
        *("default", 4, [(), ("variant_late:b",)], [7, -1], 1_790_000_000_000, "d" * 64),
        *({"votes": 1.5}, (3,)),
    )
    assert_same(crossed(sent), sent)


def test_explanations():
    usual = np.array([0.5, np.nan])
    assert_same(
        crossed(
            Explanation("d" * 64, VALUES.astype(float), usual, usual + 1, VALUES.astype(float) / 2)
        ),
        Explanation("d" * 64, VALUES.astype(float), usual, usual + 1, VALUES.astype(float) / 2),
    )


@pytest.mark.parametrize(
    "array",
    [
        VALUES,
        VALUES.astype(np.float64),
        VALUES[:, ::-1],
        VALUES[:0],
        VALUES.astype(">f4"),
        np.arange(3),
        np.array(["a", None], dtype=object),
    ],
)
def test_arrays(array):
    assert_same(crossed(array), array)


@pytest.mark.parametrize("value", [None, True, "text", [1, 2], ("a", [3]), {"k": 1.5}])
def test_anything_else_goes_as_it_is(value):
    assert_same(crossed(value), value)
