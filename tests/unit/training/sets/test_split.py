from __future__ import annotations

import numpy as np
import pytest

from fraud.errors import NotTrainable
from training.config import SplitConfig
from training.sets.split import DAY_MS, split_by_time

RNG = np.random.default_rng(0)
N = 10_000
START = 1_700_000_000_000


def _history(days: float = 100, delay_days: float = 3, share: float = 0.05):
    timestamp = np.sort(START + (RNG.random(N) * days * DAY_MS).astype(np.int64))
    label = (RNG.random(N) < share).astype(np.int8)
    return timestamp, label, timestamp + round(delay_days * DAY_MS)


def test_parts_follow_each_other_with_gaps() -> None:
    timestamp, label, known = _history()
    split = split_by_time(timestamp, label, known, SplitConfig())
    b = split.bounds
    assert b.train_start_ms - b.history_start_ms == pytest.approx(20 * DAY_MS, rel=0.01)
    assert timestamp[split.calibration].min() > timestamp[split.validation].max()
    for earlier, later in ((split.train, split.validation), (split.calibration, split.test)):
        distance = timestamp[later].min() - timestamp[earlier].max()
        assert distance >= 3 * DAY_MS * 0.99
    assert b.test_end_ms == timestamp.max() + 1
    assert b.test_end_ms - b.test_start_ms == pytest.approx(15 * DAY_MS, rel=0.03)
    for part in split.parts().values():
        assert (np.diff(part) > 0).all()


def test_labels_that_were_not_known_at_the_cut_are_not_learnt_from() -> None:
    timestamp, label, known = _history()
    late = RNG.random(N) < 0.3
    known = np.where(late, timestamp + 40 * DAY_MS, known)
    split = split_by_time(timestamp, label, known, SplitConfig(gap_days=3))
    b = split.bounds
    assert (known[split.train] <= b.validation_start_ms).all()
    assert (known[split.validation] <= b.test_start_ms).all()
    assert (known[split.calibration] <= b.test_start_ms).all()
    # Hindsight judges: the test part keeps what became known after history's end.
    in_test = (timestamp >= b.test_start_ms) & (timestamp < b.test_end_ms)
    assert split.test.size == in_test.sum()


def test_unknown_labels_are_in_no_part() -> None:
    timestamp, label, known = _history()
    label[::3] = -1
    split = split_by_time(timestamp, label, known, SplitConfig())
    for part in split.parts().values():
        assert (label[part] >= 0).all()


def test_the_order_of_rows_does_not_matter() -> None:
    timestamp, label, known = _history()
    order = RNG.permutation(N)
    straight = split_by_time(timestamp, label, known, SplitConfig())
    mixed = split_by_time(timestamp[order], label[order], known[order], SplitConfig())
    assert np.array_equal(np.sort(order[mixed.train]), straight.train)


def test_the_gap_is_what_most_frauds_took_but_not_too_much() -> None:
    timestamp, label, known = _history(days=30, delay_days=60)
    with pytest.raises(NotTrainable, match="0 known frauds"):
        # labels that nobody could have known in time: capped gap, and then nothing to learn from
        split_by_time(timestamp, label, known, SplitConfig())


def test_too_short() -> None:
    with pytest.raises(NotTrainable, match="load more history or shorten"):
        split_by_time(*_history(days=5), SplitConfig(test_days=3, validation_days=2))


def test_no_history() -> None:
    empty = np.zeros(0, np.int64)
    with pytest.raises(NotTrainable, match="there are no payments"):
        split_by_time(empty, empty.astype(np.int8), empty, SplitConfig())


@pytest.mark.parametrize("part", ["train", "validation", "calibration", "test"])
def test_a_part_without_fraud_is_named(part: str) -> None:
    timestamp, label, known = _history()
    config = SplitConfig(gap_days=3, wanted_frauds=0)
    bounds = split_by_time(timestamp, label, known, config).bounds
    start, end = getattr(bounds, f"{part}_start_ms"), getattr(bounds, f"{part}_end_ms")
    label[(timestamp >= start) & (timestamp < end)] = 0
    with pytest.raises(NotTrainable, match=f"the {part} part holds 0 known frauds"):
        split_by_time(timestamp, label, known, config)


def test_nothing_but_fraud_is_named() -> None:
    timestamp, label, known = _history()
    with pytest.raises(NotTrainable, match="only fraud"):
        split_by_time(timestamp, np.ones_like(label), known, SplitConfig())


def test_one_slice_may_serve_twice_where_frauds_are_few() -> None:
    timestamp, label, known = _history()
    config = SplitConfig(gap_days=3, wanted_frauds=0)
    bounds = split_by_time(timestamp, label, known, config).bounds
    held_back = (timestamp >= bounds.validation_start_ms) & (timestamp < bounds.test_start_ms)
    label[held_back] = 0
    label[np.flatnonzero(held_back)[::60][:12]] = 1
    with pytest.raises(NotTrainable, match=r"split\.shared_calibration"):
        split_by_time(timestamp, label, known, config)
    shared = config.model_copy(update={"shared_calibration": True})
    split = split_by_time(timestamp, label, known, shared)
    assert split.shared
    assert np.array_equal(split.validation, split.calibration)
    assert split.bounds.validation_end_ms == bounds.calibration_end_ms
    assert split.counts(label)[1]["validation"] == 12


def test_enough_frauds_keep_the_slices_apart_even_if_they_need_not() -> None:
    timestamp, label, known = _history()
    split = split_by_time(timestamp, label, known, SplitConfig(shared_calibration=True))
    assert not split.shared
    assert not np.isin(split.validation, split.calibration).any()


def test_a_random_split_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="payments of the same fraud would lie on both sides"):
        SplitConfig(method="random")


def _growing(share: float = 0.01, n: int = 60_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A customer base that grows and shrinks again: the newest days hold few payments."""
    rng = np.random.default_rng(3)
    timestamp = np.sort(START + (rng.beta(3, 6, n) * 300 * DAY_MS).astype(np.int64))
    label = (rng.random(n) < share).astype(np.int8)
    return timestamp, label, timestamp + 5 * DAY_MS


def test_a_fraction_is_of_payments_not_of_the_span() -> None:
    """By the span the newest 15 % of days hold well under 1 % of these payments."""
    timestamp, label, known = _growing()
    in_last_days = (timestamp >= timestamp.max() - 45 * DAY_MS).sum()
    assert in_last_days < 0.01 * timestamp.size
    split = split_by_time(timestamp, label, known, SplitConfig())
    assert split.test.size == pytest.approx(0.15 * timestamp.size, rel=0.01)
    assert split.validation.size == pytest.approx(0.1 * timestamp.size, rel=0.01)
    assert split.calibration.size == pytest.approx(0.1 * timestamp.size, rel=0.01)
    assert split.short(label, 30) == ()
    for earlier, later in ((split.train, split.validation), (split.calibration, split.test)):
        distance = timestamp[later].min() - timestamp[earlier].max()
        assert distance >= 5 * DAY_MS * 0.99


def test_unlabelled_newest_payments_do_not_shrink_the_test() -> None:
    timestamp, label, known = _growing()
    label[-20_000:] = -1
    split = split_by_time(timestamp, label, known, SplitConfig())
    assert split.test.size == pytest.approx(0.15 * 40_000, rel=0.01)


def test_parts_grow_to_the_frauds_that_are_wanted() -> None:
    """A tenth of 60,000 payments holds about 18 frauds."""
    timestamp, label, known = _growing(share=0.003)
    plain = split_by_time(timestamp, label, known, SplitConfig(wanted_frauds=0))
    assert plain.counts(label)[1]["validation"] < 25
    grown = split_by_time(timestamp, label, known, SplitConfig(wanted_frauds=25))
    frauds = grown.counts(label)[1]
    assert min(frauds[part] for part in ("validation", "calibration", "test")) >= 25
    assert grown.short(label, 25) == ()


def test_parts_grow_to_twice_their_size_and_missing_frauds_are_reported() -> None:
    timestamp, label, known = _growing()
    split = split_by_time(timestamp, label, known, SplitConfig(wanted_frauds=2_000))
    assert split.test.size == pytest.approx(0.30 * timestamp.size, rel=0.01)
    assert [sentence.split()[1] for sentence in split.short(label, 2_000)] == [
        "validation", "calibration", "test",
    ]  # fmt: skip
    frauds = split.counts(label)[1]["test"]
    assert f"the test part holds {frauds} known frauds in" in split.short(label, 2_000)[2]


def test_parts_do_not_grow_where_training_would_lack_frauds() -> None:
    timestamp, label, known = _growing(share=0.002)
    few = SplitConfig(min_train_frauds=40, wanted_frauds=2_000, min_validation_frauds=1,
                      min_calibration_frauds=1)  # fmt: skip
    split = split_by_time(timestamp, label, known, few)
    assert split.test.size == pytest.approx(0.15 * timestamp.size, rel=0.01)
    assert len(split.short(label, 2_000)) == 3


def test_payments_of_one_moment_stay_together() -> None:
    timestamp, label, _ = _growing()
    days = timestamp // DAY_MS * DAY_MS
    split = split_by_time(days, label, days + 5 * DAY_MS, SplitConfig())
    parts = [set(days[rows].tolist()) for rows in split.parts().values()]
    assert not any(a & b for i, a in enumerate(parts) for b in parts[:i])


def test_days_are_taken_as_they_are_given() -> None:
    timestamp, label, known = _growing(n=60_000, share=0.05)
    split = split_by_time(timestamp, label, known, SplitConfig(test_days=60, wanted_frauds=5_000))
    assert split.bounds.test_end_ms - split.bounds.test_start_ms == 60 * DAY_MS


def test_a_lack_of_labels_is_reported() -> None:
    timestamp, label, known = _history()
    with pytest.raises(NotTrainable, match="no payment has a label"):
        split_by_time(timestamp, np.full_like(label, -1), known, SplitConfig())
