"""A recipe: how the set of a reference is made, and how its models are trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from data.layout.layout import Layout, load_layout
from features.definitions import SCHEMA_ID
from references.reference import ReferenceKind
from training.config import TrainConfig


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe.

    Attributes:
        name: of the reference.
        about: one line.
        kind: `tabular` or `history`.
        write: writes the labelled file into a folder, given the folder of the public sets, and
            returns its path.
        made_from: everything that decides what `write` writes.
        needs: the folder of a public set, inside the folder of all of them; "" if it is generated.
        layout: of the file, by its name in `data/layout/layouts`; "": found as
            `quorum train --auto` finds it.
        config: how the models are trained.
        label: see `training.auto.understanding.understand`; for files without a layout.
    """

    name: str
    about: str
    kind: ReferenceKind
    write: Callable[[Path, Path], Path]
    made_from: str
    config: TrainConfig
    needs: str = ""
    layout: str = ""
    label: str | None = None

    @property
    def digest(self) -> str:
        """16 hex digits that change with the set, the features or the configuration."""
        features = SCHEMA_ID if self.kind == "history" else ""
        config = self.config.model_dump(mode="json")
        made = json.dumps([self.name, self.made_from, self.layout, features, config])
        return hashlib.sha256(made.encode()).hexdigest()[:16]

    def named_layout(self) -> Layout:
        """Its layout, under the name of the reference, which its models are named after."""
        return replace(load_layout(self.layout), name=self.name)

    def is_there(self, data: Path) -> bool:
        """Whether the public set that it needs is in the folder `data`."""
        return not self.needs or any((data / self.needs).glob("*.parquet"))
