from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from fraud.combine.combine import probability_of
from fraud.decision import Vote
from fraud.plan import Plan
from fraud.policy.recorded import settled
from tests.contracts.decisions import transactions
from training.config import SUPERVISED, TrainConfig
from training.fit.calibrate import calibrated, fit_calibration
from training.fit.cascade import CHEAPEST_FIRST, cascade_figures, fit_cascade, run_cascade
from training.fit.ensemble import fit_plan
from training.fit.labelled_votes import LabelledVotes

N = 40_000
RNG = np.random.default_rng(21)
RISK = RNG.normal(-7.5, 3.0, N)
FRAUD = (RNG.random(N) < 1 / (1 + np.exp(-RISK))).astype(np.float32)
FIRST, SECOND, LAST = slice(0, N // 4), slice(N // 4, N // 2), slice(N // 2, N)


def _seen(noise: float) -> np.ndarray:
    """Calibrated votes of a model that sees the risk through noise."""
    raw = 1 / (1 + np.exp(-(RISK + RNG.normal(0, noise, N)) / 2))
    return calibrated(raw, fit_calibration(raw[SECOND], FRAUD[SECOND]).knots)


VOTES = {"xgboost": _seen(1.0), "random-forest": _seen(1.0), "logistic": _seen(1.1)}


def _part(rows: slice, votes: dict[str, np.ndarray] = VOTES) -> LabelledVotes:
    n = FRAUD[rows].size
    return LabelledVotes({k: v[rows] for k, v in votes.items()}, FRAUD[rows], np.ones(n))


def _fit(config: TrainConfig, votes: dict[str, np.ndarray] = VOTES):
    plan = fit_plan(_part(FIRST, votes), _part(SECOND, votes), config).plan
    return plan, fit_cascade(plan, _part(SECOND, votes), config)


def test_a_cascade_keeps_what_it_must_on_later_rows_and_asks_about_few() -> None:
    plan, found = _fit(TrainConfig())
    on = _part(LAST)
    found = found.measured("test", on.votes, on.fraud)
    assert found.cascade.stages[0].ensemble.voters == ("logistic",)
    assert found.cascade.stages[-1].ensemble.members == plan.ensemble.members
    assert found.figures["calibration"]["kept"] >= 0.995
    assert found.figures["test"]["kept"] >= 0.99
    assert 0 < found.figures["test"]["asked"] < 0.2
    assert found.plan is not None
    assert Plan.from_document(found.plan.to_document()) == found.plan


def test_its_thresholds_keep_the_rates() -> None:
    _, found = _fit(TrainConfig())
    on = _part(SECOND)
    probability, _ = run_cascade(found.cascade, on.votes)
    levels = {stage.ensemble.thresholds for stage in found.cascade.stages}
    assert len(levels) == 1
    t = levels.pop()
    shares = [float((probability >= level).mean()) for level in (t.challenge, t.review, t.block)]
    assert shares == pytest.approx([0.01, 0.005, 0.001], rel=0.1)


def test_it_decides_as_the_policy_does() -> None:
    config = TrainConfig.model_validate({"cascade": {"stages": ["logistic", "random-forest"]}})
    _, found = _fit(config)
    n = 500
    some = np.sort(np.argsort(-VOTES["logistic"])[: 2 * n : 2])
    votes = {name: v[some] for name, v in VOTES.items()}
    probability, asked = run_cascade(found.cascade, votes)
    cast = [Vote(name, "v", "ok", v, 0.0) for name, v in votes.items()]
    by_policy = np.full(n, np.nan)
    for group in settled(found.cascade, transactions(n), cast):
        own = {name: v[group.rows] for name, v in votes.items()}
        by_policy[group.rows] = probability_of(group.ensemble, own, len(group.rows))
        if group.ensemble is found.cascade.stages[-1].ensemble:
            assert np.flatnonzero(asked).tolist() == group.rows.tolist()
    assert by_policy.tolist() == probability.tolist()
    assert 0 < asked.sum() < n


def test_configured_stages_come_in_their_order() -> None:
    config = TrainConfig.model_validate({"cascade": {"stages": ["logistic", "random-forest"]}})
    _, found = _fit(config)
    voters = [stage.ensemble.voters for stage in found.cascade.stages[:-1]]
    assert voters == [("logistic",), ("random-forest",)]
    assert found.figures["calibration"]["kept"] >= 0.995
    first, second = (stage.settle_below for stage in found.cascade.stages[:-1])
    assert min(first, second) > 0


def test_a_cheap_variant_that_sees_nothing_gives_way_to_one_that_does() -> None:
    votes = {**VOTES, "logistic": RNG.permutation(VOTES["logistic"])}
    _, found = _fit(TrainConfig(), votes)
    assert found.cascade.stages[0].ensemble.voters != ("logistic",)


def test_where_nothing_keeps_enough_there_is_no_cascade_but_a_reason() -> None:
    votes = {**VOTES, "logistic": RNG.permutation(VOTES["logistic"])}
    config = TrainConfig.model_validate({"cascade": {"stages": ["logistic"]}})
    _, found = _fit(config, votes)
    assert found.plan is None
    assert "with logistic before the plan's ensemble no cascade keeps 99.0%" in found.reason
    assert found.measured("test", votes, FRAUD) is found
    assert found.to_document()["stages"] == []
    with pytest.raises(ValueError, match="no cascade was fitted"):
        _ = found.cascade


def test_figures_are_those_of_the_last_stage_where_all_rows_reach_it() -> None:
    _, found = _fit(TrainConfig())
    first, last = found.cascade.stages
    everybody = replace(found.cascade, stages=(replace(first, settle_below=0.0), last))
    figures = cascade_figures(everybody, VOTES, FRAUD)
    assert (figures["asked"], figures["kept"]) == (1.0, 1.0)


@pytest.mark.parametrize(
    "section",
    [
        {"stages": ["isolation-forest"]},
        {"stages": ["logistic", "logistic"]},
        {"keep": 1.0},
        {"keep": 0.0},
        {"share": 0.1},
    ],
)
def test_a_wrong_section_is_refused(section: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig.model_validate({"cascade": section})


def test_the_cheapest_variant_is_tried_first() -> None:
    assert CHEAPEST_FIRST[0] == "logistic"
    assert set(CHEAPEST_FIRST) == set(SUPERVISED)
