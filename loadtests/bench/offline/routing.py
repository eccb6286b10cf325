"""What routing and combining cost: `python -m loadtests.bench.offline.routing`.

Each kind of plan routes 256 payments to four variants whose votes are known, and combines these.
No process starts, nothing is sent. Then a decider decides the same payments under one plan and
under two, on pools and features that answer at once and a log that only encodes: what is left is
the combiner's own work. Times are processor time of the one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

import numpy as np

from deciding.decider import Decider
from deciding.explainer import Explainer
from deciding.fan_out import FanOut
from decision_log.entry import encode
from features.assemble import without_history
from features.definitions import NAMES
from features.reason_columns import reason_writer
from fraud.asking import Asking, VariantCall
from fraud.combine.combine import combine
from fraud.decision import Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.canary import Canary
from fraud.policy.cascade import Cascade, Stage
from fraud.policy.interface import Policy
from fraud.policy.recorded import answered
from fraud.policy.segments import Condition, Segment, Segments
from fraud.policy.shadow import Shadow, ShadowPolicy
from fraud.record import RecordBatch
from fraud.score import VariantScores

ROWS = 256
VOTERS = ("xgboost", "random-forest", "logistic")
ANOMALY = "isolation-forest"
TARGET_US = 500.0
"""The most that routing and combining may take."""
THRESHOLDS = Thresholds(0.1, 0.4, 0.8, anomaly_challenge=0.995)
_CURVE = tuple((i / 100, (i / 100) ** 1.5) for i in range(101))


def ensemble(*weights: float) -> Ensemble:
    """Three voters and the anomaly variant, as training fits them."""
    members = tuple(Member(n, w) for n, w in zip(VOTERS, weights, strict=True))
    return Ensemble(members, THRESHOLDS, ANOMALY, calibration=_CURVE)


def policies() -> dict[str, Policy]:
    """A policy of every kind, by name; each asks four variants."""
    house, challenger = ensemble(0.5, 0.3, 0.2), ensemble(0.2, 0.3, 0.5)
    first = Ensemble((Member("logistic", 1.0),), THRESHOLDS, kind="single")
    ab = AB((Arm("control", 90, house), Arm("new", 10, challenger)), salt="2026-11")
    eur = Segment("eur", Condition((("currency", ("EUR",)),)), ab)
    large = Segment("large", Condition(amount_from=500.0), challenger)
    return {
        "ensemble": house,
        "ab": ab,
        "canary": Canary(house, challenger, step=2, salt="2026-11"),
        "shadow": Shadow(house, (ShadowPolicy("candidate", challenger),)),
        "cascade": Cascade((Stage(first, 0.02), Stage(house))),
        "segments": Segments((eur, large), house),
    }


def payments(n: int = ROWS) -> TransactionBatch:
    """n payments of n customers, half of them in euro, one in ten above 500."""
    return TransactionBatch.of(
        "house",
        [
            Transaction(
                transaction_id=f"t{i}",
                customer_id=f"customer-{i:08d}",
                timestamp_ms=1_790_000_000_000 + i,
                amount_minor=60_000 if i % 10 == 0 else 100 + i,
                currency="EUR" if i % 2 else "USD",
                type="purchase",
                country="DE",
                channel="online",
            )
            for i in range(n)
        ],
    )


def routed(
    policy: Policy, batch: TransactionBatch, votes: Sequence[Vote]
) -> Callable[[], list[int]]:
    """Return the work to be timed: route a micro-batch, combine the votes of each group. It returns
    the rows of each group."""
    by_name = {vote.variant: vote for vote in votes}
    n = len(batch)

    def answer(call: VariantCall) -> Vote:
        vote = by_name[call.variant]
        if call.rows is None or vote.scores is None:
            return vote
        return Vote(vote.variant, vote.version, "ok", vote.scores[call.rows], 1.0, vote.digest)

    def work() -> list[int]:
        asking = Asking(batch)
        sizes = []
        for group in answered(policy, asking, answer):
            m = n if group.rows is None else len(group.rows)
            cast = asking.votes.votes(group.asked, group.rows)
            combine(group.ensemble, cast, m, None, group.asked)
            sizes.append(m)
        return sizes

    return work


def votes_on(n: int, highest: float = 1.0) -> list[Vote]:
    """A vote of each variant on n rows, most of them low, none above `highest`."""
    rng = np.random.default_rng(7)
    names = (*VOTERS, ANOMALY)
    scores = [np.minimum(rng.beta(0.3, 8, n), highest) for _ in names]
    return [Vote(n, "v1", "ok", s, 1.0, "d" * 64) for n, s in zip(names, scores, strict=True)]


def median_us(work: Callable[[], object], repeats: int) -> float:
    """Median processor time of a run, microseconds, without the garbage collector."""
    work()
    taken = []
    gc.disable()
    try:
        for _ in range(repeats):
            start_ns = time.thread_time_ns()
            work()
            taken.append((time.thread_time_ns() - start_ns) / 1e3)
    finally:
        gc.enable()
    return median(taken)


class Fakes:
    """Pools, features and a log that answer at once.

    Args:
        votes: of each variant, for n rows.
        features: of the same rows.
    """

    def __init__(self, votes: Sequence[Vote], features: FeatureBatch) -> None:
        self._votes = {vote.variant: vote.scores for vote in votes}
        self._features = features

    def scorer(self, variant: str) -> Callable[[Float32, str], asyncio.Future[VariantScores]]:
        """See `Pools`."""
        scores = self._votes[variant]
        assert scores is not None

        def score(values: Float32, _: str) -> asyncio.Future[VariantScores]:
            done = asyncio.get_running_loop().create_future()
            done.set_result(VariantScores("v1", "d" * 64, scores[: len(values)]))
            return done

        return score

    async def fetch(self, batch: TransactionBatch, patient: bool) -> FeatureBatch:
        """Return the features."""
        return replace(self._features, degraded=[()] * len(batch), stage_ms={})

    async def append(self, batches: Sequence[RecordBatch]) -> None:
        """Encode the records as the decision log does, and forget them."""
        for records in batches:
            encode(records)


def decider(fakes: Fakes, plans: dict[str, Plan]) -> Decider:
    """A decider of these tenants' plans, on fakes."""
    return Decider(
        plans.get,
        fakes.fetch,
        FanOut(fakes),
        Explainer(lambda _: None, reason_writer(NAMES)),
        fakes,
    )


def deciding_us(repeats: int) -> tuple[float, float]:
    """What a decider's own work costs for one micro-batch of two tenants: under one plan, and under
    a plan of each. Medians, microseconds; the two take turns.

    No payment is challenged or worse, as nearly none is in a micro-batch of real payments: the
    reasons of one cost more than all else.
    """
    batch = payments()
    batch.tenant = [("mine", "other")[i % 2] for i in range(ROWS)]
    calm = votes_on(ROWS, highest=0.05)
    fakes = Fakes(calm, without_history(batch))
    house = Plan("default", 1, ensemble(0.5, 0.3, 0.2))
    own = Plan("mine", 1, ensemble(0.2, 0.3, 0.5))
    one = decider(fakes, {"mine": house, "other": house})
    two = decider(fakes, {"mine": own, "other": house})
    taken: dict[int, list[float]] = {1: [], 2: []}

    async def measure() -> None:
        for number in range(repeats + 1):
            for plans, of in ((1, one), (2, two)):
                start_ns = time.thread_time_ns()
                await of.decide(batch)
                if number:
                    taken[plans].append((time.thread_time_ns() - start_ns) / 1e3)

    gc.disable()
    try:
        asyncio.run(measure())
    finally:
        gc.enable()
    return median(taken[1]), median(taken[2])


def main() -> int:
    """Measure, and print a line for each kind; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    batch, votes = payments(), votes_on(ROWS)
    found = {
        kind: median_us(routed(policy, batch, votes), given.repeats)
        for kind, policy in policies().items()
    }
    one, two = deciding_us(given.repeats)
    if given.json:
        print(json.dumps({"routing_us": found, "one_plan_us": one, "two_plans_us": two}))
    else:
        for kind, us in found.items():
            print(f"{kind:10} {us:7.0f} us of {TARGET_US:.0f}")
        more = (two - one) / ROWS
        print(
            f"deciding   {one:7.0f} us under one plan, {two:.0f} us under two: {more:.1f} us a row"
        )
    return int(max(found.values()) > TARGET_US)


if __name__ == "__main__":
    sys.exit(main())
