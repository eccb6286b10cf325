"""The reference distributions of a run, against which drift is measured."""

from __future__ import annotations

import numpy as np

from models.drift import ReferenceDistribution, ReferenceDistributions
from training.fit.scores import ScoredPart
from training.sets.dataset import Dataset
from training.sets.split import Split

MAX_ROWS = 50_000


def references(dataset: Dataset, split: Split, held_back: ScoredPart) -> ReferenceDistributions:
    """The distributions of the features of the training rows, evenly thinned to 50,000, and of
    every model's scores on the held-back rows `held_back`."""
    rows = split.train[:: max(1, -(-split.train.size // MAX_ROWS))]
    schema = dataset.schema
    scores = dict(sorted(held_back.scores.items()))
    return ReferenceDistributions(
        features=ReferenceDistribution.of(
            schema.names, np.asarray(dataset.values[rows]), schema.categorical
        ),
        scores=ReferenceDistribution.of(tuple(scores), np.stack(list(scores.values()), axis=1)),
    )
