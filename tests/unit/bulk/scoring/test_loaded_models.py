"""Models are verified when they are loaded, and kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulk.scoring.loaded_models import loaded
from fraud.errors import ArtifactRefused
from tests.contracts.scored_jobs import column, tabular_model


@pytest.fixture
def artifact(tmp_path):
    return tabular_model(tmp_path, [column("x")]).model


def test_a_model_is_loaded_once(artifact):
    assert loaded(artifact) is loaded(replace(artifact))


def test_another_digest_is_refused(artifact):
    with pytest.raises(ArtifactRefused):
        loaded(replace(artifact, digest="0" * 64))


def test_a_model_of_another_name_is_refused(artifact):
    with pytest.raises(ArtifactRefused, match="other"):
        loaded(replace(artifact, variant="other"))


def test_a_folder_that_is_gone_is_refused(artifact, tmp_path):
    with pytest.raises(ArtifactRefused):
        loaded(replace(artifact, folder=str(tmp_path / "gone")))
