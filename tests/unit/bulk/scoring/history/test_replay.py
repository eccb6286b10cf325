"""A file replayed in the order of time, written back in its own order."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk.scoring.history import replay as module
from bulk.scoring.history.replay import replay_file, replayed_scores
from bulk.scoring.score_file import MODEL
from bulk.scoring.score_part import score_part
from features.backfill import backfill
from features.definitions import SCHEMA_ID
from fraud.errors import InvalidInput
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from models.scoring.scorer import Scorer
from tests.contracts.scored_jobs import history_model, plan, write_job

CARDS = "cards@0123456789ab"
FIELDS = {"customer_id": "who", "timestamp": "when", "amount": "betrag", "merchant_id": "shop"}
N = 300


def rows(n=N, seed=3):
    """Payments of few customers, in no order of time."""
    rng = np.random.default_rng(seed)
    at = 1_700_000_000 + rng.permutation(n) * 600
    return {
        "who": [f"c{i}" for i in rng.integers(0, 7, n)],
        "when": [str(np.datetime64(int(t), "s")) for t in at],
        "betrag": [f"{a:.2f}" for a in rng.lognormal(3, 1, n)],
        "shop": [f"m{i}" for i in rng.integers(0, 40, n)],
    }


def expected(columns, model):
    """The same by hand: sorted as a whole, through the features, by the same model."""
    at = np.array(columns["when"], "datetime64[ms]").astype(np.int64)
    order = np.argsort(at, kind="stable")
    payments = [
        Transaction(
            transaction_id=str(i),
            customer_id=columns["who"][i],
            timestamp_ms=int(at[i]),
            amount_minor=round(float(columns["betrag"][i]) * 100),
            currency="USD",
            type="purchase",
            merchant_id=columns["shop"][i],
        )
        for i in order.tolist()
    ]
    (features,) = backfill([TransactionBatch.of("acme", payments)])
    scores = np.empty(len(at))
    scores[order] = Scorer.load(Path(model.model.folder)).score(features.values, SCHEMA_ID)
    return scores


def found(paths, sizes):
    return np.concatenate(
        [replayed_scores(paths, i, n)[f"{MODEL}{CARDS}"] for i, n in enumerate(sizes)]
    )


@pytest.mark.parametrize("rows_per_bucket", [1_000_000, 40])
def test_scores_are_those_of_the_whole_history(tmp_path, monkeypatch, rows_per_bucket):
    edges = module.sampled_edges
    monkeypatch.setattr(module, "sampled_edges", lambda *a: edges(*a, rows_per_bucket))
    model = history_model(tmp_path / "m", FIELDS)
    columns = rows()
    paths = write_job(tmp_path / "job", pa.table(columns), rows_per_part=128)
    assert replay_file(paths, plan([model])) == 0
    assert found(paths, [128, 128, 44]) == pytest.approx(expected(columns, model), abs=1e-6)
    assert not paths.replay.exists()


def test_rows_that_are_no_payments_get_no_score_and_a_reason(tmp_path):
    model = history_model(tmp_path / "m", FIELDS)
    columns = rows()
    columns["when"][5] = "whenever"
    columns["betrag"][7] = ""
    paths = write_job(tmp_path / "job", pa.table(columns))
    assert replay_file(paths, plan([model])) == 2
    missing = np.flatnonzero(np.isnan(found(paths, [N])))
    assert missing.tolist() == [5, 7]
    errors = pq.read_table(paths.replay_errors).to_pylist()
    assert [(e["line"], e["column"]) for e in errors] == [(7, "when"), (9, "betrag")]
    assert all(e["reason"] and "whenever" not in e["reason"] for e in errors)


def test_a_second_replay_has_nothing_to_do(tmp_path):
    model = history_model(tmp_path / "m", FIELDS)
    paths = write_job(tmp_path / "job", pa.table(rows()))
    replay_file(paths, plan([model]))
    written = paths.replayed(0).stat().st_ino
    assert replay_file(paths, plan([model])) == 0
    assert paths.replayed(0).stat().st_ino == written
    paths.replayed(0).write_bytes(b"torn")
    replay_file(paths, plan([model]))
    assert np.isfinite(found(paths, [N])).all()


def test_confirmed_cents_are_amounts_in_cents(tmp_path):
    whole = history_model(tmp_path / "m", FIELDS)
    columns = rows()
    cents = {**columns, "betrag": [str(round(float(a) * 100)) for a in columns["betrag"]]}
    changed = [
        replace(c, conversion="minor-to-major", factor=0.01) if c.name == "amount" else c
        for c in whole.columns
    ]
    in_cents = replace(whole, columns=tuple(changed))
    paths = write_job(tmp_path / "job", pa.table(cents))
    replay_file(paths, plan([in_cents]))
    assert found(paths, [N]) == pytest.approx(expected(columns, whole), abs=1e-6)


def test_models_with_other_columns_replay_the_file_by_their_own(tmp_path):
    columns = {**rows(), "cents": [str(round(float(a) * 100)) for a in rows()["betrag"]]}
    whole = history_model(tmp_path / "a", FIELDS)
    doubled = history_model(
        tmp_path / "b", {**FIELDS, "amount": "cents"}, reference="other@ba9876543210"
    )
    same = history_model(tmp_path / "c", FIELDS, reference="third@cccccccccccc")
    paths = write_job(tmp_path / "job", pa.table(columns))
    told = []
    replay_file(paths, plan([whole, doubled, same]), told.append)
    by_model = replayed_scores(paths, 0, N)
    assert by_model[f"{MODEL}{CARDS}"] == pytest.approx(expected(columns, whole), abs=1e-6)
    assert (by_model[f"{MODEL}third@cccccccccccc"] == by_model[f"{MODEL}{CARDS}"]).all()
    in_cents = {**columns, "betrag": columns["cents"]}
    assert by_model[f"{MODEL}other@ba9876543210"] == pytest.approx(
        expected(in_cents, doubled), abs=1e-6
    )
    assert told == sorted(told)
    assert told[-1] == N


def test_a_row_that_is_no_payment_for_two_models_is_listed_once(tmp_path):
    columns = rows()
    columns["when"][5] = ""
    columns["shop"][9] = columns["who"][9] = ""
    paths = write_job(tmp_path / "job", pa.table(columns))
    one = history_model(tmp_path / "a", FIELDS)
    without = {name: column for name, column in FIELDS.items() if name != "customer_id"}
    other = history_model(tmp_path / "b", without, reference="other@ba9876543210")
    # The largest number of rows that a model cannot score.
    assert replay_file(paths, plan([one, other])) == 2
    errors = pq.read_table(paths.replay_errors).to_pylist()
    assert [(e["line"], e["column"]) for e in errors] == [(7, "when"), (11, "who")]
    found = replayed_scores(paths, 0, N)
    unknown = {name: np.flatnonzero(np.isnan(scores)).tolist() for name, scores in found.items()}
    assert unknown == {f"{MODEL}{CARDS}": [5, 9], f"{MODEL}other@ba9876543210": [5]}


def test_parts_take_the_scores_of_the_replay(tmp_path):
    planned = plan([history_model(tmp_path / "m", FIELDS)])
    paths = write_job(tmp_path / "job", pa.table(rows()))
    with pytest.raises(FileNotFoundError, match="replayed"):
        score_part(paths, 0, planned)
    replay_file(paths, planned)
    assert score_part(paths, 0, planned) == N


def test_a_file_without_times_cannot_be_replayed(tmp_path):
    model = history_model(tmp_path / "m", {"customer_id": "who", "amount": "betrag"})
    paths = write_job(tmp_path / "job", pa.table(rows()))
    with pytest.raises(InvalidInput, match="timestamp"):
        replay_file(paths, plan([model]))


def test_a_full_disk_is_an_error_before_any_score_is_made(tmp_path, monkeypatch):
    def full(handle, start, size):
        assert size == 4 * N
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    paths = write_job(tmp_path / "job", pa.table(rows()))
    with pytest.raises(OSError, match="No space left"):
        replay_file(paths, plan([history_model(tmp_path / "m", FIELDS)]))
    assert not paths.replay_errors.exists()
