"""Values are equal at both ends of a link, and none can run code."""

from __future__ import annotations

import datetime
import pickle
from dataclasses import fields, is_dataclass

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.links.codec import (
    Unreadable,
    encode,
    error_value,
    read_call,
    read_error,
    read_result,
    tagged,
    untagged,
)
from deployments.links.link import LinkLost
from deployments.readiness import Readiness
from fraud.decision import DecisionBatch, Decisions, Reason, Vote
from fraud.errors import (
    InvalidInput,
    Overloaded,
    RateLimited,
    SchemaMismatch,
    StoreUnavailable,
    Unavailable,
)
from fraud.explanation import Explanation
from fraud.payment.batch import FeatureBatch
from fraud.score import VariantScores
from tests.contracts.decisions import transactions

VALUES = np.array([[0.5, np.nan], [1.5, -2.0]], dtype=np.float32)
SCORES = np.array([0.25, np.nan])


def crossed(value):
    return read_result(memoryview(encode(tagged(value))))


def assert_same(found, sent):
    assert type(found) is type(sent)
    if isinstance(sent, np.ndarray):
        assert found.dtype == sent.dtype
        np.testing.assert_array_equal(found, sent)
    elif is_dataclass(sent):
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


def test_readiness():
    for sent in (
        Readiness(True, (), ("logistic",), "default", 3),
        Readiness(False, ("no plan",), (), "", 0, True, ("PostgreSQL is away",)),
    ):
        assert_same(crossed(sent), sent)


def test_decisions_with_their_votes_and_reasons():
    votes = (Vote("a", "v1", "ok", SCORES, 1.5, "d" * 64), Vote("b", "", "late", None, 100.0))
    reasons = [(), (Reason("CODE", "feature", "a sentence", 0.5),)]
    ids = ["i1", "i2"]
    batch = DecisionBatch(
        *(ids, ["t1", "t2"], [0, 2], [0.1, 0.7], [12, 55], [0.5, 0.5], reasons, votes),
        *("default", 4, [(), ("variant_late:b",)], [7, -1], 1_790_000_000_000, "d" * 64),
        *({"votes": 1.5}, "eur > new"),
    )
    sent = Decisions((batch, batch), ([0, 1], [2, 4]), (3,))
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
        np.array(3.5),
        np.array([True, False]),
    ],
)
def test_arrays(array):
    assert_same(crossed(array), array)


@pytest.mark.parametrize(
    "value", [None, True, "text", b"bytes", [1, 2], ("a", [3]), ((), ("x", VALUES)), {"k": 1.5}]
)
def test_plain_values_and_tuples_of_values(value):
    assert_same(crossed(value), value)


def test_numpy_s_own_numbers_cross_as_numbers():
    assert crossed([np.float64(0.5), np.int64(7)]) == [0.5, 7]


@pytest.mark.parametrize(
    "value",
    [
        lambda: None,
        datetime.timedelta,
        object(),
        np.array(["a", None], dtype=object),
        [np.array(["a"])],
    ],
)
def test_values_of_no_known_kind_are_not_sent(value):
    with pytest.raises(Unreadable):
        encode(tagged(value))


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("no", (("/a", "b", "c"),)),
        RateLimited("key", 5, 60, 0.5),
        SchemaMismatch("a", "b"),
        Overloaded("full", 2.5),
        StoreUnavailable("down"),
        TimeoutError(),
        KeyError("unknown"),
        ValueError("wrong", 3),
    ],
)
def test_errors_on_the_list_arrive_with_all_arguments(error):
    again = read_error(memoryview(encode(error_value(error))))
    assert type(again) is type(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


def test_other_errors_cross_as_the_nearest_parent_that_is_on_the_list():
    lost = read_error(memoryview(encode(error_value(LinkLost("gone")))))
    assert type(lost) is Unavailable
    assert lost.args == ("gone",)

    class Odd(Exception):
        pass

    odd = read_error(memoryview(encode(error_value(Odd(lambda: None)))))
    assert type(odd) is RuntimeError
    assert odd.args == ("Odd",)


class Bomb:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return eval, ("1 / 0",)


@pytest.mark.parametrize("read", [read_call, read_result, read_error])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        pickle.dumps(Bomb(), 5),
        pickle.dumps(("score", [(0, Bomb())]), 5),
        msgspec.msgpack.encode(("builtins.eval", [99, "1 / 0"])),
        msgspec.msgpack.encode(("eval", ["1 / 0"])),
        msgspec.msgpack.encode((2, {"__class__": "os.system"})),
        msgspec.msgpack.encode((2, ["|O", [1], b"\0" * 8])),
        msgspec.msgpack.encode((3, {"tenant": 5})),
        msgspec.msgpack.encode((77, None)),
        msgspec.msgpack.encode(("SystemExit", [1])),
    ],
)
def test_bytes_that_no_end_of_ours_sends_are_refused(read, body):
    def everything():
        # A question's arguments are read one by one.
        return [untagged(*item) for item in read(memoryview(body))[1]]

    with pytest.raises(Unreadable):
        everything()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_plain_value_or_refused(body):
    for read in (read_call, read_result, read_error):
        try:
            read(memoryview(body))
        except Unreadable:
            continue


def test_a_batch_with_columns_of_another_type_is_refused():
    sent = transactions(1)
    sent.amount_minor = ["1; drop table"]
    with pytest.raises(Unreadable):
        crossed(sent)
