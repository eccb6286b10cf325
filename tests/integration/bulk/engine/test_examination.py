"""A file examined and planned against a reference in a real store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.csv as pc
import pytest

from bulk.engine.examination import examine, match_sample, plan_job
from bulk.engine.file_profile import FileProfile
from bulk.engine.steps import ReadOrder
from bulk.files.refused import FileRefused
from bulk.jobs.options import JobOptions
from bulk.jobs.paths import JobPaths
from fraud.errors import InvalidInput, NotFound
from models.store.location import StorePlace
from references.reference import StoredReference
from stores.postgres.connect import connection
from tests.contracts.jobs import new_job
from tests.contracts.scored_references import shop_table, store_shop_reference

OPTIONS = JobOptions()


@pytest.fixture
async def stored(database_url: str, tmp_path: Path) -> StoredReference:
    async with connection(database_url) as session:
        return await store_shop_reference(session, tmp_path / "artifacts")


@pytest.fixture
def place(tmp_path: Path) -> StorePlace:
    return StorePlace(str(tmp_path / "artifacts"), None, tmp_path / "caches", 1 << 30)


@pytest.fixture
def order(tmp_path: Path) -> ReadOrder:
    paths = JobPaths(tmp_path / "job")
    paths.folder.mkdir()
    pc.write_csv(shop_table(500, amount="montant"), paths.upload)
    return ReadOrder(paths, "shop.csv", {}, 1 << 30)


def test_a_sample_and_a_profile_are_enough_to_match_again(
    stored: StoredReference, place: StorePlace, order: ReadOrder
) -> None:
    match = examine(order, [stored], place, OPTIONS)
    assert match.chosen == (stored.id,)
    order.paths.upload.unlink()
    assert match_sample(order.paths, [stored], place, OPTIONS) == match
    without = JobOptions(columns={"montant": ""})
    assert match_sample(order.paths, [stored], place, without).refused
    with pytest.raises(InvalidInput):
        match_sample(order.paths, [stored], place, JobOptions(columns={"gone": "amount"}))
    assert FileProfile.read(order.paths).columns[0].name == "montant"


def test_a_plan_holds_the_chosen_models_on_this_machine(
    stored: StoredReference, place: StorePlace, order: ReadOrder, tmp_path: Path
) -> None:
    job = new_job(match=examine(order, [stored], place, OPTIONS))
    plan = plan_job(job, order.paths, [stored], place)
    (model,) = plan.models
    assert (model.reference, model.weight, plan.tenant) == (stored.id, 1.0, "mine")
    assert Path(model.model.folder).is_relative_to(tmp_path / "artifacts")
    assert {c.name: c.file_column for c in model.columns}["amount"] == "montant"
    with pytest.raises(NotFound):
        plan_job(job, order.paths, [], place)


def test_an_unreadable_file_is_refused(
    stored: StoredReference, place: StorePlace, order: ReadOrder
) -> None:
    order.paths.upload.write_text("")
    with pytest.raises(FileRefused):
        examine(replace(order, file_name="x"), [stored], place, OPTIONS)
