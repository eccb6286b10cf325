"""The reference of a run: how features and scores were spread, for drift to be measured against."""

from __future__ import annotations

import numpy as np

from models.drift import ReferenceDistribution, ReferenceDistributions
from training.fit.evaluated import Scored
from training.sets.dataset import Dataset
from training.sets.split import Split

MAX_ROWS = 50_000


def references(dataset: Dataset, split: Split, held_back: Scored) -> ReferenceDistributions:
    """Measure the features of the rows that were trained on, evenly thinned to 50,000, and every
    model's scores on `held_back`, which they had not seen."""
    rows = split.train[:: max(1, -(-split.train.size // MAX_ROWS))]
    schema = dataset.schema
    scores = dict(sorted(held_back.scores.items()))
    return ReferenceDistributions(
        features=ReferenceDistribution.of(
            schema.names, np.asarray(dataset.values[rows]), schema.categorical
        ),
        scores=ReferenceDistribution.of(tuple(scores), np.stack(list(scores.values()), axis=1)),
    )
