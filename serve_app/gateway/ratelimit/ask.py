"""What a micro-batch asks of a rate limiter, and what it is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from fraud.access.tiers import Tier

BUCKETS: Final = 10
"""Buckets of one window. More refuse less at the edge, where up to one bucket of what has already
left the window still counts, and make the counters larger."""


class Sender(NamedTuple):
    """Rows of one submission, in the order in which they are to be counted.

    Attributes:
        key_id, tenant, tier: whose they are.
        customers: the customer of each row.
    """

    key_id: str
    tenant: str
    tier: Tier
    customers: Sequence[str]


class Told(NamedTuple):
    """How a key stands after a micro-batch.

    Attributes:
        key_id, tier: which key.
        remaining: rows that it may still send now, >= 0.
        back_us: microseconds until some of the rows that count are forgotten; 0: none count.
    """

    key_id: str
    tier: Tier
    remaining: int
    back_us: int


class Refusal(NamedTuple):
    """A row that may not be decided now.

    Attributes:
        row: its number in the micro-batch.
        limit: which of its tier's limits refused it; of several the one with the longest wait.
        tier: its tier.
        wait_us: microseconds until that limit lets such a row in, if no other comes first, > 0.
    """

    row: int
    limit: int
    tier: Tier
    wait_us: int


class Verdict(NamedTuple):
    """The answer to an `Ask`: all rows may be decided but the refused ones."""

    told: list[Told]
    refused: list[Refusal]


class Limiter(Protocol):
    """Counts rows. A row counts in all of its counters, or is refused and counts in none; rows are
    taken in order. No window of a counter's quota ever holds more rows than the quota; a row is
    refused only if a window and one bucket hold the whole quota."""

    async def admit(self, ask: Ask) -> Verdict:
        """Which rows may be decided.

        Raises:
            StoreUnavailable: nobody can say.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """A micro-batch as a limiter sees it. Numbers of counters and policies begin at 0.

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
    def of(cls, senders: Iterable[Sender]) -> Ask:
        """What these submissions ask, their rows numbered through."""
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

    def shared(self, by: int) -> Ask:
        """The same with the share of one of `by` limiters that do not know of each other: at
        least one row of each quota."""
        if by == 1:
            return self
        return replace(self, quotas=[[max(1, rows // by) for rows in q] for q in self.quotas])

    def verdict(self, used_and_back: Sequence[int], refused: Sequence[int]) -> Verdict:
        """The answer in the form of `admit.lua`: used rows and microseconds in the order of
        `keys`; row, limit and microseconds of each refused row."""
        told = []
        for i, (key_id, policy) in enumerate(self.keys.values()):
            remaining = max(0, self.quotas[policy][0] - used_and_back[2 * i])
            told.append(Told(key_id, self.tiers[policy], remaining, used_and_back[2 * i + 1]))
        if not refused:
            return Verdict(told, [])
        policies = self._policies()
        triples = zip(refused[::3], refused[1::3], refused[2::3], strict=True)
        return Verdict(
            told,
            [Refusal(row, limit, self.tiers[policies[row]], wait) for row, limit, wait in triples],
        )

    def _policies(self) -> list[int]:
        """The policy of each row."""
        policies, at = [], 0
        while at < len(self.rows):
            policies.append(self.rows[at])
            at += 1 + len(self.quotas[self.rows[at]])
        return policies


_BUCKET_US = 1_000_000 // BUCKETS
