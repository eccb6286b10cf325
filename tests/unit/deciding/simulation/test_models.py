"""The models of a simulation: real artifacts in a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deciding.simulation.models import ArtifactModels
from deciding.simulation.votes import Voters
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.asking import VariantCall
from fraud.plan import Plan
from models.scoring.scorer import Scorer
from models.store.location import open_store
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.plans import leaf
from tests.contracts.recorded import made, recorded


@pytest.fixture
def models(tmp_path: Path) -> ArtifactModels:
    """A champion `xgboost` and an older version of it; nothing else."""
    root = tmp_path / "artifacts"
    made_of = {"n_features": N_FEATURES, "schema_id": SCHEMA_ID}
    tiny_artifact(root, "xgboost", slope=0.5, **made_of)
    version, digest = tiny_artifact(root, "xgboost", slope=2.0, **made_of)
    point_alias(root, "xgboost", version, digest)
    return ArtifactModels(open_store(str(root), Settings(home=tmp_path)))


def test_the_champion_and_a_pinned_version_score_as_their_artifacts_do(
    models: ArtifactModels,
) -> None:
    values = np.random.default_rng(1).normal(size=(9, N_FEATURES)).astype(np.float32)
    champion = models.version("xgboost")
    older = next(v for v in models.store.versions("xgboost") if v != champion)
    for name, version in (("xgboost", champion), (f"xgboost@{older}", older)):
        assert models.version(name) == version
        assert models.schema(name) == SCHEMA_ID
        scorer = Scorer.load(models.store.fetch("xgboost", str(version)))
        assert models.scores(name, values).tolist() == scorer.score(values, SCHEMA_ID).tolist()
    assert models.scores("xgboost", values).tolist() != (
        models.scores(f"xgboost@{older}", values).tolist()
    )
    assert models.refused == {}


def test_what_is_not_there_is_refused_once_with_the_reason(models: ArtifactModels) -> None:
    pinned = f"xgboost@{'0' * 12}"
    assert models.version("logistic") is models.schema("logistic") is None
    assert models.schema(pinned) is None
    assert "no artifact or alias 'champion'" in models.refused["logistic"]
    assert pinned in models.refused


def test_a_damaged_artifact_is_refused(models: ArtifactModels) -> None:
    folder = models.store.fetch("xgboost", str(models.version("xgboost")))
    (folder / "model.onnx").write_bytes(b"damaged")
    assert models.schema("xgboost") is None
    assert "xgboost" in models.refused


def test_recorded_features_are_scored(models: ArtifactModels) -> None:
    records = made(Plan("default", 1, leaf("logistic")), 5)
    voters = Voters(models)
    vote = voters.answer(recorded(records), VariantCall("xgboost", np.array([1, 3])))
    values = np.concatenate([records[i].values() for i in (1, 3)])
    assert vote.scores is not None
    assert vote.scores.tolist() == models.scores("xgboost", values).tolist()
    assert voters.counts["xgboost"].asked == {models.version("xgboost"): 2}


def test_a_tenants_champion_is_its_own(models: ArtifactModels, tmp_path: Path) -> None:
    root = tmp_path / "artifacts"
    own = tiny_artifact(root, "xgboost", slope=3.0, n_features=N_FEATURES, schema_id=SCHEMA_ID)
    point_alias(root, "xgboost", *own, owner="acme")
    assert models.version("acme/xgboost") == own[0] != models.version("xgboost")
    assert models.version("other/xgboost") is None
    assert "other/champion" in models.refused["other/xgboost"]
