"""Versions of the libraries that a model is made with."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest
import sklearn
import xgboost

from training import libraries
from training.libraries import LIBRARIES, library_versions


def test_they_are_the_versions_of_what_is_imported() -> None:
    versions = library_versions()
    assert set(versions) == set(LIBRARIES)
    assert versions["xgboost"] == xgboost.__version__
    assert versions["scikit-learn"] == sklearn.__version__


def test_xgboost_may_be_installed_without_its_gpu_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_the_image(name: str) -> str:
        if name == "xgboost":
            raise PackageNotFoundError(name)
        return name

    monkeypatch.setattr(libraries, "version", of_the_image)
    assert library_versions()["xgboost"] == "xgboost-cpu"
    assert library_versions()["ray"] == "ray"


def test_a_library_that_is_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "LIBRARIES", ("no-such-library",))
    with pytest.raises(PackageNotFoundError):
        library_versions()
