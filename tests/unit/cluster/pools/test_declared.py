"""Declarations of pools, in a file that people may edit."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from cluster.pools.declared import Declaration, DeclaredPools
from fraud.errors import InvalidInput

ACME = Declaration(name="acme/xgboost", min_replicas=1, max_replicas=2, num_cpus=0.5)
PINNED = Declaration(name="xgboost@2fd6da9b13f3")


@pytest.fixture
def pools(tmp_path: Path) -> DeclaredPools:
    return DeclaredPools.of(tmp_path)


def test_without_a_file_nothing_is_declared(pools: DeclaredPools) -> None:
    assert pools.read() == ()
    assert not pools.remove("xgboost")
    assert not pools.path.exists()


def test_what_is_added_is_read_and_removed(pools: DeclaredPools) -> None:
    pools.add(ACME)
    pools.add(PINNED)
    assert pools.read() == (ACME, PINNED)
    assert pools.remove("acme/xgboost")
    assert pools.read() == (PINNED,)
    assert not pools.remove("acme/xgboost")


def test_adding_again_changes_the_size(pools: DeclaredPools) -> None:
    pools.add(ACME)
    larger = ACME.model_copy(update={"max_replicas": 9})
    pools.add(larger)
    assert pools.read() == (larger,)


def test_comments_and_the_order_of_others_stay(pools: DeclaredPools) -> None:
    pools.path.write_text(
        '# ours\n\n[[variants]]\nname = "a"  # first\n\n[[ variants ]]\nname = "b"\n\n'
        '[[variants]]\nname = "c"\n'
    )
    pools.remove("b")
    text = pools.path.read_text()
    assert "# ours" in text
    assert "# first" in text
    assert [d.name for d in pools.read()] == ["a", "c"]


def test_a_table_written_in_one_line_is_changed_by_hand(pools: DeclaredPools) -> None:
    pools.path.write_text("variants = [{name = 'a'}]\n")
    assert [d.name for d in pools.read()] == ["a"]
    with pytest.raises(InvalidInput, match="table for each"):
        pools.remove("a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[variants]]\nnam = 'a'", "nam"),
        ("[[variants]]\nname = 'A B'", "name"),
        ("[[variants]]\nname = 'a'\nmin_replicas = 0", "min_replicas"),
        ("[[variants]]\nname = 'a'\nmin_replicas = 3\nmax_replicas = 2", "max_replicas"),
        ("[[variants]]\nname = 'a'\nnum_cpus = nan", "num_cpus"),
        ("[[variants]]\nname = 'a'\n[[variants]]\nname = 'a'", "declared twice"),
        ("variants = 3", "variants"),
        ("[[", "not TOML"),
    ],
)
def test_a_faulty_file_is_refused_with_the_key_and_kept(
    pools: DeclaredPools, text: str, said: str
) -> None:
    pools.path.write_text(text)
    for change in (pools.read, lambda: pools.add(PINNED), lambda: pools.remove("a")):
        with pytest.raises(InvalidInput, match=said):
            change()
    assert pools.path.read_text() == text


def test_a_name_is_a_variant() -> None:
    with pytest.raises(ValidationError):
        Declaration(name="../x")
