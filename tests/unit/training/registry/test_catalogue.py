"""The error for a misspelt variant or alias suggests the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraud.errors import NotFound
from models.store.location import open_store
from settings.settings import Settings
from training.registry.catalogue import Catalogue


@pytest.mark.parametrize(
    ("variant", "name", "said"),
    [
        ("xgbost", "champion", "there is no variant 'xgbost': did you mean xgboost?"),
        ("zzz", "7", "there is no variant 'zzz': `quorum models list` names them"),
        ("xgboost", "champoin", "no artifact or alias 'champoin': did you mean champion?"),
        ("xgboost", "zzz", "no artifact or alias 'zzz': `quorum models list` lists versions"),
    ],
)
def test_what_is_not_there(variant: str, name: str, said: str, tmp_path: Path) -> None:
    aliases = tmp_path / "xgboost" / "aliases"
    aliases.mkdir(parents=True)
    (aliases / "champion.json").write_text("{}")
    catalogue = Catalogue(open_store(str(tmp_path), Settings(home=tmp_path)), None)
    with pytest.raises(NotFound) as refused:
        catalogue.version(variant, name)
    assert str(refused.value.args[0]).endswith(said)
