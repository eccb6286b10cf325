"""The contract of every rate limiter, checked against a model that forgets nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraud.access.tiers import Quota, Tier
from serve_app.gateway.ratelimit.interface import (
    BUCKETS,
    Admission,
    AdmissionRequest,
    Limiter,
    Sender,
)

SPAN_US = 1_000_000
WINDOW_S = BUCKETS
START_US = 1_790_000_000_123_456

SMALL = Tier("small", Quota(3, WINDOW_S), Quota(2, 3 * WINDOW_S))
LARGE = Tier("large", Quota(9, WINDOW_S), Quota(4, 3 * WINDOW_S))
PLAIN = Tier("plain", Quota(5, 2 * WINDOW_S), None)
KEYS = {"a": SMALL, "b": LARGE, "c": PLAIN, "d": LARGE}


class Clock:
    """Microseconds, moved by hand; `at` of the limiter under test."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


LimiterMaker = Callable[[Clock], Awaitable[Limiter]]


def sender(key: str, customers: list[str]) -> Sender:
    return Sender(key, "acme", KEYS[key], customers)


@dataclass
class Model:
    """Every row ever admitted, by counter."""

    admitted: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def counted(self, counter: tuple[str, str], since_us: int) -> int:
        """Rows admitted at `since_us` or later."""
        return sum(at >= since_us for at in self.admitted.get(counter, ()))

    def full(self, counter: tuple[str, str], quota: Quota, now_us: int) -> bool:
        """Whether the buckets that a window ending now can touch hold the quota."""
        span = quota.window_s * 1_000_000 // BUCKETS
        return self.counted(counter, (now_us // span - BUCKETS) * span) >= quota.rows

    def wait_us(self, counter: tuple[str, str], quota: Quota, now_us: int) -> int:
        """Return the time until one more row is admitted, at the start of a bucket."""
        span = quota.window_s * 1_000_000 // BUCKETS
        at = (now_us // span + 1) * span
        while self.full(counter, quota, at):
            at += span
        return at - now_us


def check(model: Model, senders: list[Sender], admission: Admission, now_us: int) -> None:
    """Compare an admission with the model row by row, and add the admitted rows to it."""
    refused = {refusal.row: refusal for refusal in admission.refused}
    assert list(refused) == sorted(refused)
    row = 0
    for key, tenant, tier, customers in senders:
        for customer in customers:
            counters = [("key", key), ("customer", f"{tenant}/{customer}")]
            limits = list(zip(counters, [quota for _, quota in tier.limits], strict=False))
            full = [model.full(counter, quota, now_us) for counter, quota in limits]
            assert (row in refused) == any(full), (row, full)
            if row in refused:
                refusal = refused[row]
                waits = [
                    model.wait_us(counter, quota, now_us) if is_full else 0
                    for (counter, quota), is_full in zip(limits, full, strict=True)
                ]
                assert refusal.tier is tier
                assert refusal.wait_us == max(waits)
                assert waits[refusal.limit] == max(waits)
            else:
                for counter, quota in limits:
                    log = model.admitted.setdefault(counter, [])
                    log.append(now_us)
                    # The promise: no window of this length, closed at both ends, holds more.
                    assert model.counted(counter, now_us - quota.window_s * 1_000_000) <= quota.rows
            row += 1
    for told in admission.usage:
        span = told.tier.key.window_s * 1_000_000 // BUCKETS
        since = (now_us // span - BUCKETS) * span
        used = model.counted(("key", told.key_id), since)
        assert told.remaining == max(0, told.tier.key.rows - used)
        oldest = min(
            (t for t in model.admitted.get(("key", told.key_id), ()) if t >= since), default=0
        )
        assert told.back_us == ((oldest // span + BUCKETS + 1) * span - now_us if oldest else 0)


BATCHES = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, 3_000),
            st.integers(0, 4 * SPAN_US),
            # Just before, at and just after whole buckets and windows.
            st.tuples(st.integers(0, 2 * BUCKETS), st.integers(-2, 2)).map(
                lambda t: max(0, t[0] * SPAN_US + t[1])
            ),
            st.integers(0, 80 * SPAN_US),
        ),
        st.lists(
            st.tuples(
                st.sampled_from(sorted(KEYS)),
                st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=6),
            ),
            min_size=1,
            max_size=5,
        ),
    ),
    min_size=1,
    max_size=25,
)
QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


class RateLimiterContract:
    """Subclasses give a fixture `make_limiter`."""

    @QUICK
    @given(batches=BATCHES)
    async def test_it_does_what_the_model_does(
        self, make_limiter: LimiterMaker, batches: list[tuple[int, list[tuple[str, list[str]]]]]
    ) -> None:
        clock, model = Clock(), Model()
        limiter = await make_limiter(clock)
        for later_us, parts in batches:
            clock.now_us += later_us
            senders = [sender(*part) for part in parts]
            admission = await limiter.admit(AdmissionRequest.of(senders))
            check(model, senders, admission, clock.now_us)

    async def test_a_refused_row_counts_nowhere(self, make_limiter: LimiterMaker) -> None:
        limiter = await make_limiter(Clock())
        # Customer x may have two rows: the third does not use up the key's third.
        admission = await limiter.admit(
            AdmissionRequest.of([sender("a", ["x", "x", "x", "y", "y"])])
        )
        assert [(r.row, r.limit) for r in admission.refused] == [(2, 1), (4, 0)]
        assert [(t.key_id, t.remaining) for t in admission.usage] == [("a", 0)]

    async def test_a_customer_is_one_for_all_keys_of_its_tenant_and_another_for_others(
        self, make_limiter: LimiterMaker
    ) -> None:
        limiter = await make_limiter(Clock())
        ask = AdmissionRequest.of([sender("b", ["x"] * 3), sender("d", ["x"] * 2)])
        assert [r.row for r in (await limiter.admit(ask)).refused] == [4]
        stranger = Sender("e", "other", LARGE, ["x"])
        assert not (await limiter.admit(AdmissionRequest.of([stranger]))).refused

    async def test_all_that_is_refused_is_let_in_after_its_wait_and_not_before(
        self, make_limiter: LimiterMaker
    ) -> None:
        clock = Clock()
        limiter = await make_limiter(clock)
        first = await limiter.admit(AdmissionRequest.of([sender("c", ["x"] * 6)]))
        assert [r.row for r in first.refused] == [5]
        clock.now_us += first.refused[0].wait_us - 1
        again = await limiter.admit(AdmissionRequest.of([sender("c", ["x"])]))
        assert [r.wait_us for r in again.refused] == [1]
        clock.now_us += 1
        assert not (await limiter.admit(AdmissionRequest.of([sender("c", ["x"] * 5)]))).refused

    async def test_a_clock_set_back_lets_nobody_in_early(self, make_limiter: LimiterMaker) -> None:
        clock = Clock()
        limiter = await make_limiter(clock)
        one = AdmissionRequest.of([sender("c", ["x"])])
        clock.now_us += 500 * SPAN_US
        assert not (await limiter.admit(AdmissionRequest.of([sender("c", ["x"] * 5)]))).refused
        for back_us in (1, SPAN_US, 7 * SPAN_US, 300 * SPAN_US):
            clock.now_us -= back_us
            for _ in range(3):
                assert (await limiter.admit(one)).refused
        # Nor is a row refused until the clock is back where it was.
        clock.now_us += (2 * BUCKETS + 5) * SPAN_US
        assert not (await limiter.admit(one)).refused

    async def test_a_share_is_never_nothing(self, make_limiter: LimiterMaker) -> None:
        limiter = await make_limiter(Clock())
        ask = AdmissionRequest.of([sender("b", ["x", "y", "z", "w"])])
        assert [r.row for r in (await limiter.admit(ask.share_of(3))).refused] == [3]
        ask = AdmissionRequest.of([sender("d", ["v", "v"])])
        assert [r.row for r in (await limiter.admit(ask.share_of(100))).refused] == [1]
