import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.access.keys import ID_ALPHABET, hash_key, new_key, parse_key, verify_key

PEPPER = "a pepper"


def test_a_new_key_reads_back() -> None:
    key = new_key()
    assert parse_key(str(key)) == key
    assert len(key.key_id) == 12
    assert len(key.secret) >= 32


def test_keys_differ_in_both_parts() -> None:
    keys = [new_key() for _ in range(200)]
    assert len({k.key_id for k in keys}) == len({k.secret for k in keys}) == 200


def test_every_letter_of_an_id_is_as_likely_as_the_others() -> None:
    letters = [new_key(lambda n, at=at: bytes([at]) * n).key_id[0] for at in range(256)]
    assert {letters.count(letter) for letter in ID_ALPHABET} == {256 // len(ID_ALPHABET)}


def test_the_secret_does_not_show_in_a_repr() -> None:
    key = new_key()
    assert key.secret not in repr(key)


@given(st.text(max_size=200))
def test_anything_else_is_not_a_key(text: str) -> None:
    key = parse_key(text)
    assert key is None or str(key) == text


@pytest.mark.parametrize(
    "text", ["", "qk_", "qk_abc_def", "qk_0bcdefghijkm_" + "x" * 43, "QK_abcdefghijkm_" + "x" * 43]
)
def test_near_misses_are_not_keys(text: str) -> None:
    assert parse_key(text) is None


def test_trailing_newline_is_not_forgiven() -> None:
    assert parse_key(f"{new_key()}\n") is None


def test_only_the_whole_key_under_the_same_pepper_fits() -> None:
    key, other = new_key(), new_key()
    stored = hash_key(PEPPER, key)
    assert len(stored) == 32
    assert verify_key(PEPPER, key, stored)
    assert not verify_key(PEPPER, other, stored)
    assert not verify_key("another", key, stored)
    assert not verify_key(PEPPER, type(key)(other.key_id, key.secret), stored)


def test_no_pepper_is_an_error() -> None:
    with pytest.raises(ValueError, match="pepper"):
        hash_key("", new_key())
