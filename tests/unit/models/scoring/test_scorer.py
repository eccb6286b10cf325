"""Loading a model: what is damaged, foreign or wrong is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xgboost

from fraud.errors import ArtifactRefused, SchemaMismatch
from models.artifact import Manifest, sha256_of, write_manifest
from models.drift import REFERENCE_FILE, ReferenceDistribution, ReferenceDistributions
from models.linear import LinearContributions
from models.scoring.scorer import Scorer
from models.trees import TreeContributions
from tests.contracts.artifacts import tiny_artifact
from training.export.leaves import leaves_of_booster
from training.export.linear import fit_columns

N, SCHEMA = 5, "abcdefabcdef"


@pytest.fixture
def folder(tmp_path):
    version, _ = tiny_artifact(tmp_path, n_features=N, schema_id=SCHEMA)
    return tmp_path / "xgboost" / version


def rows(*first):
    values = np.zeros((len(first), N), dtype=np.float32)
    values[:, 0] = first
    return values


def test_scores_are_calibrated(folder):
    scorer = Scorer.load(folder)
    assert scorer.score(rows(0.0, np.nan, 100.0), SCHEMA).tolist() == pytest.approx(
        [0.25, 0.25, 0.5]
    )
    assert scorer.version == folder.name
    assert scorer.row_seconds > 0


@pytest.mark.parametrize("n", [0, 1, 7, 300])
def test_any_number_of_rows(folder, n):
    assert Scorer.load(folder).score(rows(*[0.0] * n), SCHEMA).shape == (n,)


def test_rows_do_not_depend_on_their_company(folder):
    scorer, values = Scorer.load(folder), rows(*np.linspace(-3, 3, 50))
    together = scorer.score(values, SCHEMA)
    alone = [scorer.score(values[i : i + 1], SCHEMA)[0] for i in range(50)]
    assert together.tolist() == pytest.approx(alone, abs=1e-7)


def test_another_schema_is_refused(folder):
    with pytest.raises(SchemaMismatch):
        Scorer.load(folder, schema_id="000000000000")
    with pytest.raises(SchemaMismatch):
        Scorer.load(folder).score(rows(0.0), "000000000000")


def test_another_digest_is_refused(folder):
    with pytest.raises(ArtifactRefused):
        Scorer.load(folder, "0" * 64)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_flipped_byte_is_refused(folder, name):
    body = bytearray((folder / name).read_bytes())
    body[len(body) // 2] ^= 1
    (folder / name).write_bytes(body)
    with pytest.raises(ArtifactRefused, match="digest"):
        Scorer.load(folder)


def test_wrong_golden_rows_are_refused(tmp_path):
    version, _ = tiny_artifact(tmp_path, n_features=N, schema_id=SCHEMA, golden_shift=0.01)
    with pytest.raises(ArtifactRefused, match="golden rows are off by"):
        Scorer.load(tmp_path / "xgboost" / version)


def rewritten(folder, **changes):
    document = json.loads((folder / "manifest.json").read_bytes())
    document.update(changes)
    document["calibration"] = tuple(map(tuple, document["calibration"]))
    write_manifest(folder, Manifest(**document))
    return folder


def test_garbage_with_the_right_digest_is_refused(folder):
    (folder / "model.onnx").write_bytes(b"garbage")
    files = {name: sha256_of(folder / name) for name in ("model.onnx", "golden.npz")}
    with pytest.raises(ArtifactRefused, match="on loading"):
        Scorer.load(rewritten(folder, files=files))


@pytest.mark.parametrize(
    "changes",
    [
        {"runtime": "pickle"},
        {"n_features": N + 1},
        {"files": {}},
        {"calibration": [[0.0, 0.5], [1.0, 0.1]]},
    ],
)
def test_a_manifest_that_lies_is_refused(folder, changes):
    with pytest.raises(ArtifactRefused):
        Scorer.load(rewritten(folder, **changes))


def test_a_model_without_contributions_says_so(folder):
    scorer = Scorer.load(folder)
    assert not scorer.explains
    with pytest.raises(ArtifactRefused):
        scorer.contributions(rows(0.0), SCHEMA)


def tree_file(booster):
    return TreeContributions(leaves_of_booster(booster), N).to_bytes()


def with_contributions(folder, body):
    (folder / "trees.npz").write_bytes(body)
    names = ("model.onnx", "golden.npz", "trees.npz")
    return rewritten(folder, files={name: sha256_of(folder / name) for name in names})


def test_contributions_come_from_the_other_model(folder):
    values = np.random.default_rng(1).normal(size=(100, N)).astype(np.float32)
    data = xgboost.DMatrix(values, (values[:, 0] > 0).astype(int))
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)
    scorer = Scorer.load(with_contributions(folder, tree_file(booster)))
    assert scorer.explains
    assert scorer.explain_row_seconds == 0.0
    expected = booster.predict(data, pred_contribs=True)[:, :-1]
    assert np.allclose(scorer.contributions(values, SCHEMA), expected, rtol=0, atol=1e-6)
    assert scorer.explain_row_seconds > 0


def test_a_linear_model_says_what_each_feature_adds(folder):
    values = np.random.default_rng(1).normal(size=(100, N)).astype(np.float32)
    columns = fit_columns(values, ())
    ones = np.ones(columns.features.size, np.float32)
    added = LinearContributions(columns, ones, 0 * ones, N)
    (folder / "linear.npz").write_bytes(added.to_bytes())
    names = ("model.onnx", "golden.npz", "linear.npz")
    rewritten(folder, files={name: sha256_of(folder / name) for name in names})
    scorer = Scorer.load(folder)
    assert scorer.explains
    assert scorer.contributions(values, SCHEMA).tolist() == added(values).tolist()
    (folder / "linear.npz").write_bytes(b"garbage")
    rewritten(folder, files={name: sha256_of(folder / name) for name in names})
    with pytest.raises(ArtifactRefused, match="unreadable"):
        Scorer.load(folder).prepare_contributions()


def test_contributions_of_garbage_are_refused(folder):
    scorer = Scorer.load(with_contributions(folder, b"garbage"))
    with pytest.raises(ArtifactRefused, match="unreadable"):
        scorer.prepare_contributions()


def test_an_explanation_says_what_was_usual_in_the_training(folder):
    values = np.random.default_rng(1).normal(size=(100, N)).astype(np.float32)
    data = xgboost.DMatrix(values, (values[:, 0] > 0).astype(int))
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)
    with_contributions(folder, tree_file(booster))
    bare = Scorer.load(folder)
    unknown = bare.explain(values[:2], SCHEMA)
    assert unknown.digest == bare.digest
    assert np.isnan([unknown.low, unknown.high, *unknown.share]).all()
    spread = ReferenceDistribution.of([f"f{i}" for i in range(N)], values)
    body = ReferenceDistributions(
        spread, ReferenceDistribution.of(("xgboost",), values[:, :1])
    ).to_bytes()
    (folder / REFERENCE_FILE).write_bytes(body)
    names = ("model.onnx", "golden.npz", "trees.npz", REFERENCE_FILE)
    rewritten(folder, files={name: sha256_of(folder / name) for name in names})
    scorer = Scorer.load(folder)
    found = scorer.explain(values[:2], SCHEMA)
    assert found.fits(2, N)
    assert (found.low < found.high).all()
    assert found.share == pytest.approx(spread.share(values[:2]))
    assert found.contributions.tolist() == unknown.contributions.tolist()


def test_an_unreadable_reference_is_refused(folder):
    with_contributions(folder, b"garbage")
    (folder / REFERENCE_FILE).write_bytes(b"garbage")
    names = ("model.onnx", "golden.npz", "trees.npz", REFERENCE_FILE)
    rewritten(folder, files={name: sha256_of(folder / name) for name in names})
    with pytest.raises(ArtifactRefused, match="reference"):
        Scorer.load(folder).prepare_contributions()
