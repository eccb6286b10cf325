"""What a cascade saves: `python -m loadtests.bench.offline.cascade --protocol ulb`.

Fits the variants, the plan and its cascade as `quorum train --protocol` does, on the protocol's
main split. Then every model scores the test rows in micro-batches, in one process, through the
files that are served: all models on all rows as the plan asks them, and stage by stage as the
cascade does. Prints processor time a decision of both, and what the cascade keeps.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime as ort

from fraud.asking import Asking, VariantCall
from fraud.combine.combine import combine
from fraud.decision import Vote
from fraud.payment.batch import Float32, TransactionBatch
from fraud.policy.interface import Policy
from fraud.policy.recorded import answered
from loadtests.bench.offline.routing import payments
from training.config import TrainConfig
from training.export.fitted import Fitted
from training.export.graph import INPUT, OUTPUT
from training.fit.calibrate import Knots, calibrated
from training.fit.crossfit import crossfit
from training.fit.in_process import fit_in_process
from training.fit.plan_fit import PlanFit, calibrate_models, fit_and_score_plan
from training.protocols.catalogue import PROTOCOLS
from training.protocols.protocol import data_file, with_defaults
from training.protocols.protocol_split import split_of
from training.protocols.reader import ProtocolReader

SIZES = (1, 16, 256)
"""Rows of a micro-batch: at low load, at high load, at the most."""
_ROWS = 4096
_ROUNDS = 5


class Pools:
    """Every variant's file, loaded as a replica loads it, on one thread.

    Args:
        models: variant -> its fitted model and its calibration.
    """

    def __init__(self, models: Mapping[str, tuple[Fitted, Knots]]) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        self._models = {
            name: (
                ort.InferenceSession(
                    fitted.files["model.onnx"], options, providers=["CPUExecutionProvider"]
                ),
                knots,
            )
            for name, (fitted, knots) in models.items()
        }

    def answer(self, values: Float32) -> Callable[[VariantCall], Vote]:
        """Return what answers calls about the rows of one micro-batch."""

        def ask(call: VariantCall) -> Vote:
            session, knots = self._models[call.variant]
            rows = values if call.rows is None else values[call.rows]
            raw = session.run([OUTPUT], {INPUT: rows})[0].astype(np.float64).reshape(len(rows))
            return Vote(call.variant, "", "ok", calibrated(raw, knots), 0.0)

        return ask


def decided(policy: Policy, pools: Pools, batch: TransactionBatch, values: Float32) -> None:
    """Ask the models about a micro-batch, and combine their votes."""
    asking = Asking(batch)
    for group in answered(policy, asking, pools.answer(values)):
        n = len(batch) if group.rows is None else len(group.rows)
        combine(group.ensemble, asking.votes.votes(group.asked, group.rows), n, None, group.asked)


def microseconds(policies: Mapping[str, Policy], pools: Pools, values: Float32, size: int) -> Any:
    """Processor time a decision of each policy in micro-batches of `size` rows, microseconds: the
    median of rounds in which the policies take turns."""
    batch = payments(size)
    parts = list(_cut(values, size))
    taken: dict[str, list[float]] = {name: [] for name in policies}
    for round_number in range(_ROUNDS + 1):
        for name, policy in policies.items():
            start_ns = time.process_time_ns()
            for part in parts:
                decided(policy, pools, batch, part)
            spent = (time.process_time_ns() - start_ns) / 1e3 / (len(parts) * size)
            if round_number:  # the first one warms up
                taken[name].append(spent)
    return {name: round(median(those), 2) for name, those in taken.items()}


def _cut(values: Float32, size: int) -> Iterator[Float32]:
    for start in range(0, len(values) - size + 1, size):
        yield values[start : start + size]


@dataclass(frozen=True, slots=True)
class FittedProtocol:
    """The plan of a protocol's main split, its models, and test rows."""

    plan_fit: PlanFit
    models: dict[str, tuple[Fitted, Knots]]
    values: Float32


def fit_protocol(name: str, data: Path, cache: Path) -> FittedProtocol:
    """Fit the main split of a protocol."""
    protocol, config = PROTOCOLS[name], TrainConfig()
    reader = ProtocolReader(cache, lambda *_: None)
    dataset = protocol.read(data_file(data, protocol.folder), reader)
    of = protocol.splits(dataset, with_defaults(config, protocol.tuned))[0]
    found = crossfit(dataset, of.train, of.config, fit_in_process)
    split = split_of(dataset, of, found.rows)
    models = calibrate_models(found.models, dataset, split, found.raw)
    return FittedProtocol(
        fit_and_score_plan(models, dataset, split, of.config),
        {n: (m.fitted, m.calibration.knots) for n, m in models.items()},
        np.ascontiguousarray(dataset.values[of.test]),
    )


def report(of: FittedProtocol, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """The cascade's figures, and processor time a decision by size of the micro-batch.

    Raises:
        ValueError: no cascade was fitted.
    """
    cascade = of.plan_fit.cascade
    if cascade is None:
        raise ValueError("a cascade needs two supervised variants")
    policies = {"ensemble": of.plan_fit.plan.policy, "cascade": cascade.cascade}
    # Spread over the whole test part: the first days are not like the last.
    every = np.linspace(0, len(of.values) - 1, min(_ROWS, len(of.values))).astype(int)
    pools = Pools(of.models)
    timed = {size: microseconds(policies, pools, of.values[every], size) for size in sizes}
    return {
        **cascade.to_document(),
        "test": cascade.figures["test"],
        "us_a_decision": {
            size: {**us, "ratio": round(us["cascade"] / us["ensemble"], 3)}
            for size, us in timed.items()
        },
        "ensemble": of.plan_fit.metrics,
        "subset_calibration_errors": of.plan_fit.subset_errors,
    }


def main() -> None:
    """Fit, measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), default="ulb")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=Path(".quorum/cache"))
    given = parser.parse_args()
    found = fit_protocol(given.protocol, given.data, given.cache)
    print(json.dumps(report(found), indent=2))


if __name__ == "__main__":
    main()
