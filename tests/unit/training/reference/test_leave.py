"""The reference of a run: its document, its artifact, and what is said if there is no table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import SecretStr

from models.store.location import store_of
from references.files import read_reference
from references.profile.measure import measure
from references.profile.sketch import sketch
from settings.settings import Settings
from training.config import ReportConfig
from training.evaluate.evaluation import evaluate_run
from training.evaluate.results import RunResults
from training.fit.fitted_run import FittedRun
from training.reference.leave import LeftReference, leaver, list_reference
from training.reference.measured import Measured


@pytest.fixture(scope="module")
def left(
    fitted_run: FittedRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[LeftReference, Path]:
    stage = tmp_path_factory.mktemp("stage")
    digests = {}
    for number, name in enumerate(fitted_run.models):
        (stage / name).mkdir()
        (stage / name / "model.onnx").write_bytes(b"x" * 1_000)
        digests[name] = f"{number:064x}"
    values = np.asarray(fitted_run.dataset.values)
    columns = {n: pa.array(values[:, i]) for i, n in enumerate(fitted_run.dataset.schema.names)}
    profiles = measure(columns)
    measured = Measured("made", "tabular", profiles, sketch(columns, profiles), "bad", ",", ("?",))
    quick = ReportConfig(resamples=20, importance_features=0)
    results = RunResults(fitted_run, evaluate_run(fitted_run, quick), {})
    leave = leaver(
        results, measured, owner="mine", tenant="mine", created_at="2026-01-01T00:00:00+00:00"
    )
    assert leave is not None
    assert leaver(results, None, owner="", tenant="x", created_at="") is None
    return leave(digests, stage), stage


def test_it_says_what_the_models_learnt_from(
    left: tuple[LeftReference, Path], fitted_run: FittedRun
) -> None:
    reference = left[0].reference
    dataset = fitted_run.dataset
    assert tuple(c.name for c in reference.columns) == dataset.schema.names
    assert [c.categorical for c in reference.columns] == [False, False, False, True, False]
    assert sum(c.importance for c in reference.columns) == pytest.approx(1, abs=1e-5)
    assert {c.name for c in reference.columns if c.required} >= {"amount"}
    assert (reference.kind, reference.schema_id) == ("tabular", dataset.schema_id)
    assert (reference.owner, reference.label, reference.rows) == ("mine", "bad", len(dataset))
    assert reference.label_rate == pytest.approx(dataset.label.mean(), abs=1e-8)
    # Fraud grows or shrinks with time: probabilities predict what their own part had.
    calibrated = dataset.label[fitted_run.split.calibration].mean()
    assert reference.calibrated_rate == pytest.approx(calibrated, abs=1e-8)
    assert reference.calibrated_rate != reference.label_rate
    assert (reference.decimal, reference.missing) == (",", ("?",))


def test_its_best_model_is_the_best_supervised_one(
    left: tuple[LeftReference, Path], fitted_run: FittedRun
) -> None:
    reference = left[0].reference
    assert [m.variant for m in reference.models] == list(fitted_run.models)
    voters = {n: m.metrics["average_precision"] for n, m in fitted_run.models.items()}
    del voters["isolation-forest"]
    assert reference.best == max(voters, key=lambda name: voters[name])
    assert reference.metrics == fitted_run.models[reference.best].metrics
    assert reference.anomaly_model is not None
    assert reference.anomaly_model.variant == "isolation-forest"


def test_its_artifact_is_whole_and_its_size_includes_the_models(
    left: tuple[LeftReference, Path],
) -> None:
    found, stage = left
    folder = stage / "reference-made"
    assert (found.variant, found.id) == ("reference-made", f"made@{found.digest[:12]}")
    assert read_reference(folder, found.digest)[0] == found.reference
    own = sum(path.stat().st_size for path in folder.iterdir())
    assert found.size_bytes == own + 3_000


def test_without_a_table_it_is_said_and_nothing_fails(
    left: tuple[LeftReference, Path], tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path)
    store = store_of(settings)
    assert list_reference(settings, None, store) is None
    said = list_reference(settings, left[0], store)
    assert said is not None
    assert (said["listed"], said["id"]) == (False, left[0].id)
    assert "there is no database: `quorum references add made`" in said["sentence"]
    gone = settings.model_copy(update={"database_url": SecretStr("postgresql://127.0.0.1:1/x")})
    said = list_reference(gone, left[0], store)
    assert said is not None
    assert not said["listed"]
    assert "out of reach" in said["sentence"]
