"""Decisions to bytes: one row of a DecisionBatch as the answer that a client reads.

What the rows of a micro-batch share (plan, variants' names, stages, time) is encoded once as a
template, and each row fills in its own values. All values go through one JSON encoder, column by
column.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from fraud.decision import OUTCOMES, RISK_LEVELS, DecisionBatch, Reason
from fraud.stage import decision_stages, thousandths
from serve_app.http.wire.schemas import DecidingPlanOut, ReasonOut

_REMEMBERED_BATCHES = 32

_encoder = msgspec.json.Encoder()
_OUTCOMES = tuple(_encoder.encode(outcome.value) for outcome in OUTCOMES)
_RISK_LEVELS = tuple(_encoder.encode(level) for level in RISK_LEVELS)


class _Encoded(NamedTuple):
    """An encoded micro-batch: row i is `rows[i] + its own stages + end`."""

    rows: list[bytes]
    end: bytes


class DecisionEncoder:
    """Encodes rows of micro-batches as `DecisionOut`s.

    Rows of one micro-batch answer many requests, so the last few batches are kept encoded.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[DecisionBatch, _Encoded]] = deque(maxlen=_REMEMBERED_BATCHES)

    def encode(
        self, batch: DecisionBatch, i: int, own_stages: bytes, metadata: str | None = None
    ) -> bytes:
        """Return row i of `batch` as UTF-8 JSON.

        Args:
            batch: the answer of the Combiner, n >= 1 rows.
            i: 0 <= i < n.
            own_stages: the stages of the ingress, from `encode_stages`.
            metadata: of the payment, as the JSON text of an object; None if it has none.
        """
        rows, end = self._encoded(batch)
        if metadata is not None:
            end = b'%b,"metadata":%b}' % (end[:-1], metadata.encode())
        return rows[i] + own_stages + end

    def _encoded(self, batch: DecisionBatch) -> _Encoded:
        for known, encoded in self._recent:
            if known is batch:
                return encoded
        encoded = _encode_batch(batch)
        self._recent.appendleft((batch, encoded))
        return encoded


def encode_stages(stage_ms: dict[str, float]) -> bytes:
    """Return stages (`GATEWAY_STAGES`), in milliseconds, as members of a JSON object."""
    return _encoder.encode({name: thousandths(ms) for name, ms in stage_ms.items()})[1:-1]


def encode(answer: msgspec.Struct) -> bytes:
    """Return an answer as UTF-8 JSON."""
    return _encoder.encode(answer)


def rfc3339(ms: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 in UTC.

    >>> rfc3339(1_772_366_400_250)
    '2026-03-01T12:00:00.250Z'
    """
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=256)  # most decisions of a second share it
def _second(s: int) -> str:
    return f"{datetime.fromtimestamp(s, UTC):%Y-%m-%dT%H:%M:%S}"


def _encode_batch(batch: DecisionBatch) -> _Encoded:
    template = _template(
        batch.plan,
        batch.plan_version,
        batch.arm,
        tuple([(v.variant, v.version, v.status, v.scores is not None) for v in batch.votes]),
    )
    n = len(batch)
    texts = _lines(batch.decision_id + batch.transaction_id)
    numbers = _numbers(batch)
    columns: list[Iterable[Any]] = [
        texts[:n],
        texts[n:],
        [_OUTCOMES[outcome] for outcome in batch.outcome],
        batch.risk_score,
        numbers[:n],
        [_RISK_LEVELS[outcome] for outcome in batch.outcome],
        [_reasons(reasons) if reasons else b"[]" for reasons in batch.reasons],
        *[numbers[at : at + n] for at in range(n, len(numbers) - n, n)],
        map(_degraded, batch.degraded),
        numbers[len(numbers) - n :],
    ]
    stages = decision_stages(batch.stage_ms)
    middle = _encoder.encode(stages)[1:-1] + b"," if stages else b""
    end = b'},"decided_at":"%b"}' % rfc3339(batch.decided_at_ms).encode()
    return _Encoded([template % row + middle for row in zip(*columns, strict=True)], end)


@lru_cache(maxsize=512)  # changes with plans, roll-outs and outages, not with payments
def _template(
    plan: str,
    plan_version: int,
    arm: str,
    votes: tuple[tuple[str, str, str, bool], ...],
) -> bytes:
    """Return what all rows have in common, with `%b` for their own values, in the order of
    DecisionOut.

    Args:
        votes: (variant, version, status, whether there are scores) of each.
    """
    return (
        b'{"decision_id":%b,"transaction_id":%b,"decision":%b,"risk_score":%d,"probability":%b,'
        b'"risk_level":%b,"reasons":%b,"variants":['
        + b",".join(
            b'{"name":%b,"version":%b,"status":%b,"score":%b}'
            % (
                _constant(variant),
                _constant(version),
                _constant(status),
                b"%b" if scored else b"null",
            )
            for variant, version, status, scored in votes
        )
        + b'],"anomaly_score":%b,"plan":'
        + _constant(DecidingPlanOut(plan, plan_version, arm))
        + b',"degraded":%b,"feature_age_ms":%b,"stage_ms":{'
    )


@lru_cache(maxsize=256)  # changes with outages, not with payments
def _degraded(why: tuple[str, ...]) -> bytes:
    """Return the value of `degraded` and the member after it."""
    return b'%b,"degraded_reasons":%b' % (_encoder.encode(bool(why)), _encoder.encode(why))


def _reasons(reasons: tuple[Reason, ...]) -> bytes:
    found = [
        ReasonOut(r.code, r.feature, r.detail, r.direction, float(r.contribution)) for r in reasons
    ]
    return _encoder.encode(found)


def _constant(value: Any) -> bytes:
    return _encoder.encode(value).replace(b"%", b"%%")


def _lines(values: list[str]) -> list[bytes]:
    # Newlines inside texts are escaped: only those between them are left.
    return _encoder.encode_lines(values)[:-1].split(b"\n")


def _numbers(batch: DecisionBatch) -> list[bytes]:
    """Return the JSON of the probabilities, each variant's scores, the anomaly scores and the
    feature ages, all in one list. NaN, which means "none" in columns, is null."""
    values: list[float | None] = list(map(float, batch.probability))
    for vote in batch.votes:
        if vote.scores is not None:
            values += vote.scores.tolist()
    values += map(float, batch.anomaly_score)
    values += [None if age_ms < 0 else int(age_ms) for age_ms in batch.feature_age_ms]
    return _encoder.encode(values)[1:-1].split(b",")
