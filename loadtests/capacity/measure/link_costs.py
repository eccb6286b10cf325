"""Bytes of a decision on links: what crosses the network where a call goes to another machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deployments.links.codec import tagged
from deployments.links.message import CALL, RESULT, pack
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.decision import Decisions
from fraud.payment.batch import FeatureBatch
from fraud.score import VariantScores
from loadtests.capacity.measure.fit import Line, line
from loadtests.capacity.measure.traffic import PLAN, decided, next_batch
from loadtests.payments import Payment, Playlist

SIZES = (1, 4, 16, 64)


@dataclass(frozen=True, slots=True)
class LinkCosts:
    """Bytes of a micro-batch of n rows, there and back.

    Attributes:
        decide: from the ingress to the combiner.
        fetch: from the combiner to the features.
        variants: from the combiner to all variants together.
    """

    decide: Line
    fetch: Line
    variants: Line


def measure_links(payments: Sequence[Payment]) -> LinkCosts:
    """Encode micro-batches of several sizes as links do."""
    playlist, rng = Playlist(payments), np.random.default_rng(3)
    found = [_bytes(playlist, rng, size) for size in SIZES]
    return LinkCosts(*(line(SIZES, column) for column in zip(*found, strict=True)))


def _bytes(playlist: Playlist, rng: np.random.Generator, n: int) -> tuple[float, float, float]:
    batch = next_batch(playlist, n)
    values = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    features = FeatureBatch(values, SCHEMA_ID, np.full(n, 1000, np.int64))
    decisions = Decisions((decided(batch, features, 0, rng).decisions,), (list(range(n)),))
    scores = VariantScores("0" * 12, "0" * 64, np.zeros(n))
    asked = len(PLAN.variants)
    return (
        _exchange("decide", (batch, False), decisions),
        _exchange("fetch", (batch, False), features),
        asked * _exchange("score", (values, SCHEMA_ID), scores),
    )


def _exchange(method: str, arguments: tuple[object, ...], result: object) -> float:
    asked = pack(CALL, 1, (method, [tagged(argument) for argument in arguments]))
    return float(len(asked) + len(pack(RESULT, 1, tagged(result))))
