"""The interface of rate limiters: the request of a micro-batch, and the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from fraud.access.tiers import Tier

BUCKETS: Final = 10
"""Buckets of one window. With more, fewer rows are refused because up to one bucket of older rows
still counts; the counters grow."""

_BUCKET_US: Final = 1_000_000 // BUCKETS


class Sender(NamedTuple):
    """Rows of one submission, in the order in which they are to be counted.

    Attributes:
        key_id, tenant, tier: of the key that sends them.
        customers: the customer of each row.
    """

    key_id: str
    tenant: str
    tier: Tier
    customers: Sequence[str]


class KeyUsage(NamedTuple):
    """What a key has left after a micro-batch.

    Attributes:
        key_id, tier: which key.
        remaining: rows that it may still send now, >= 0.
        back_us: microseconds until some of the counted rows are forgotten; 0: none count.
    """

    key_id: str
    tier: Tier
    remaining: int
    back_us: int


class Refusal(NamedTuple):
    """A row that may not be decided now.

    Attributes:
        row: its number in the micro-batch.
        limit: index of the limit of its tier that refused it; of several the one with the longest
            wait.
        tier: its tier.
        wait_us: microseconds until that limit admits such a row if no other comes first, > 0.
    """

    row: int
    limit: int
    tier: Tier
    wait_us: int


class Admission(NamedTuple):
    """The answer to an `AdmissionRequest`: all rows but the refused ones may be decided."""

    usage: list[KeyUsage]
    refused: list[Refusal]


class Limiter(Protocol):
    """Counts rows. A row counts in all of its counters, or is refused and counts in none; rows are
    taken in order. No window ever holds more rows than its quota. A row is refused only if a window
    and one bucket hold the whole quota."""

    async def admit(self, request: AdmissionRequest) -> Admission:
        """Return which rows may be decided.

        Raises:
            StoreUnavailable: the counters cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """A micro-batch as a limiter sees it. Counters and policies are numbered from 0.

    Attributes:
        counters: names of the counters, each once.
        spans_us: length of one bucket of each counter, microseconds.
        tiers: the tier of each policy.
        quotas: the quota of each limit of each policy.
        rows: for each row its policy, then one counter for each limit of it, in one flat list.
        keys: counter of a key -> the key's id and policy.
    """

    counters: list[str]
    spans_us: list[int]
    tiers: list[Tier]
    quotas: list[list[int]]
    rows: list[int]
    keys: dict[int, tuple[str, int]]

    @classmethod
    def of(cls, senders: Iterable[Sender]) -> AdmissionRequest:
        """Return the request of some submissions, their rows numbered consecutively."""
        counters: dict[str, int] = {}
        spans: list[int] = []
        policies: dict[str, int] = {}
        tiers: list[Tier] = []
        rows: list[int] = []
        keys: dict[int, tuple[str, int]] = {}
        for key_id, tenant, tier, customers in senders:
            policy = policies.setdefault(tier.name, len(tiers))
            if policy == len(tiers):
                tiers.append(tier)
            window_s = tier.key.window_s
            key = counters.setdefault(f"q:r:key:{window_s}:{key_id}", len(spans))
            if key == len(spans):
                spans.append(window_s * _BUCKET_US)
            keys[key] = key_id, policy
            if tier.customer is None:
                rows += (policy, key) * len(customers)
                continue
            window_s = tier.customer.window_s
            prefix = f"q:r:customer:{window_s}:{tenant}:"
            for customer in customers:
                counter = counters.setdefault(prefix + customer, len(spans))
                if counter == len(spans):
                    spans.append(window_s * _BUCKET_US)
                rows += (policy, key, counter)
        quotas = [[quota.rows for _, quota in tier.limits] for tier in tiers]
        return cls(list(counters), spans, tiers, quotas, rows, keys)

    def share_of(self, limiters: int) -> AdmissionRequest:
        """Return the same request with the quotas of one of `limiters` that do not share counters:
        an equal part, at least one row."""
        if limiters == 1:
            return self
        quotas = [[max(1, rows // limiters) for rows in quota] for quota in self.quotas]
        return replace(self, quotas=quotas)

    def admission(self, used_and_back: Sequence[int], refused: Sequence[int]) -> Admission:
        """Return the answer from what `admit.lua` returns.

        Args:
            used_and_back: used rows and microseconds until some are back, in the order of `keys`.
            refused: row, limit and microseconds of each refused row, in one flat list.
        """
        usage = []
        for i, (key_id, policy) in enumerate(self.keys.values()):
            remaining = max(0, self.quotas[policy][0] - used_and_back[2 * i])
            usage.append(KeyUsage(key_id, self.tiers[policy], remaining, used_and_back[2 * i + 1]))
        if not refused:
            return Admission(usage, [])
        policies = self._policies()
        triples = zip(refused[::3], refused[1::3], refused[2::3], strict=True)
        return Admission(
            usage,
            [Refusal(row, limit, self.tiers[policies[row]], wait) for row, limit, wait in triples],
        )

    def _policies(self) -> list[int]:
        """Return the policy of each row."""
        policies, at = [], 0
        while at < len(self.rows):
            policies.append(self.rows[at])
            at += 1 + len(self.quotas[self.rows[at]])
        return policies
