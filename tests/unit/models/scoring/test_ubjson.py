"""Universal Binary JSON, whole and broken."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from models.scoring import ubjson


@pytest.fixture(scope="module")
def booster():
    values = np.random.default_rng(1).normal(size=(100, 3)).astype(np.float32)
    data = xgboost.DMatrix(values, (values[:, 0] > 0).astype(int))
    return xgboost.train({"objective": "binary:logistic", "nthread": 1, "max_depth": 2}, data, 2)


@pytest.fixture(scope="module")
def body(booster):
    return bytes(booster.save_raw("ubj"))


def plain(value):
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | np.ndarray):
        return [plain(part) for part in list(value)]
    return float(value) if isinstance(value, int | float | np.number) else value


def test_a_model_reads_as_its_json(booster, body):
    text = json.loads(bytes(booster.save_raw("json")), parse_float=lambda x: float(np.float32(x)))
    assert plain(ubjson.load(body)) == plain(text)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"Z", None),
        (b"T", True),
        (b"i\xff", -1),
        (b"U\xff", 255),
        (b"I\x01\x00", 256),
        (b"d\x3f\x80\x00\x00", 1.0),
        (b"Si\x02hi", "hi"),
        (b"[i\x01i\x02]", [1, 2]),
        (b"[#i\x02TF", [True, False]),
        (b"{i\x01a{}}", {"a": {}}),
    ],
)
def test_small_values(body, value):
    assert ubjson.load(body) == value


_WHY = "cut off|unknown|no number|more follows|too deep|decode"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"?",
        b"ZZ",
        b"i",
        b"Si\xffa",
        b"SL\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"[$?#i\x01a",
        b"[$di\x01a",
        b"[#L\x7f\xff\xff\xff\xff\xff\xff\xffT",
        b"{i\x01a",
        b"Si\x01\xff",
        b"[" * 1000,
    ],
)
def test_what_is_broken_is_told(body):
    with pytest.raises(ValueError, match=_WHY):
        ubjson.load(body)


@given(share=st.floats(0, 1, exclude_max=True))
def test_what_is_cut_off_is_told(body, share):
    with pytest.raises(ValueError, match=_WHY):
        ubjson.load(body[: int(share * len(body))])


@given(at=st.integers(0, 2**16), bits=st.integers(1, 255))
def test_a_changed_byte_gives_a_value_or_an_error(body, at, bits):
    changed = bytearray(body)
    changed[at % len(body)] ^= bits
    try:
        ubjson.load(bytes(changed))
    except ValueError:
        return
