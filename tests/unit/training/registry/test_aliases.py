"""Names of owners' aliases in MLflow, and aliases that move together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_model_alias_name as mlflow_accepts

from fraud.payment.limits import TENANT_PATTERN
from models.store.alias import CHALLENGER, CHAMPION, TRAINED, Alias, Move, alias_name
from models.store.objects import FolderObjects
from models.store.store import ArtifactStore
from training.registry.aliases import mlflow_alias, moved_aliases, name_of_mlflow_alias

TENANTS = st.from_regex(TENANT_PATTERN.replace("$", r"\Z"))
A, B = "a" * 64, "b" * 64


@given(TENANTS, st.sampled_from([CHAMPION, CHALLENGER]))
def test_mlflow_takes_the_name_and_it_leads_back(tenant: str, alias: str) -> None:
    called = mlflow_alias(alias, tenant)
    mlflow_accepts(called)
    assert name_of_mlflow_alias(called) == alias_name(alias, tenant)


@pytest.mark.parametrize(
    "called", ["champion", "challenger", "champion-Mine", "mine", "v-champion"]
)
def test_other_aliases_of_mlflow_stay(called: str) -> None:
    assert name_of_mlflow_alias(called) == called
    assert mlflow_alias(CHAMPION, "") == CHAMPION


def test_only_the_owners_aliases_move_and_return(tmp_path: Path) -> None:
    store = ArtifactStore(FolderObjects(tmp_path), None, 2.0)
    store.set_alias("xgboost", CHAMPION, Alias(A))
    move = Move(B, "", TRAINED)
    with moved_aliases(store, CHAMPION, {"xgboost": move}, "mine") as moved:
        assert moved == ("xgboost",)
    assert store.resolve("xgboost", CHAMPION, "mine").digest == B
    assert store.resolve("xgboost", CHAMPION).digest == A
    with (
        pytest.raises(RuntimeError),
        moved_aliases(store, CHAMPION, {"xgboost": Move(A, "", TRAINED)}, "mine"),
        moved_aliases(store, CHAMPION, {"xgboost": move}, "theirs"),
    ):
        raise RuntimeError
    assert store.resolve("xgboost", CHAMPION, "mine").digest == B
    assert store.alias("xgboost", CHAMPION, "theirs") is None
