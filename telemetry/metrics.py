"""Every metric of Quorum, declared once: name, help, labels, buckets, and how the processes of a
node share it.

With `PROMETHEUS_MULTIPROC_DIR` in the environment (the node sets it before Ray starts) each process
writes its values into files of that folder, and any process shows the sum over all
(`telemetry/exposition.py`). Without it a process shows its own.

Counting is done once a micro-batch, never once a row, and waits in plain numbers for a quarter of a
second (`tally`). No label ever holds a customer, a card, an address or a key.
"""

from __future__ import annotations

import collections
from collections import deque
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from fraud.decision import OUTCOMES
from telemetry.tally import Tally

LATENCY_BUCKETS_S = (
    *(0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075, 0.01, 0.015, 0.02),
    *(0.025, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0),
)
ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_RECENT_BATCHES = 256
_OUTCOMES = tuple(map(str, OUTCOMES))

PREDICTIONS = Counter(
    "fraud_predictions_total",
    "Rows scored, by model and by label; the model `plan` is the combination of all.",
    ["model", "label"],
)
PREDICTION_LATENCY = Histogram(
    "fraud_prediction_latency_seconds",
    "From a request's arrival at the ingress to its answer.",
    buckets=LATENCY_BUCKETS_S,
)
REQUESTS_IN_PROGRESS = Gauge(
    "fraud_api_requests_in_progress",
    "Requests that the ingress is working on.",
    multiprocess_mode="livesum",
)
DETECTION_RATE = Gauge(
    "fraud_detection_rate",
    "Share of recent decisions that were not approve, over the last micro-batches.",
    multiprocess_mode="livemostrecent",
)
REQUESTS = Counter(
    "fraud_api_requests_total", "Requests, by route and status.", ["route", "status"]
)
DECISIONS = Counter("fraud_decisions_total", "Decisions by outcome.", ["outcome"])
DEGRADED = Counter(
    "fraud_degraded_decisions_total",
    "Decisions that the plan could not fully support, by reason.",
    ["reason"],
)
STAGE = Histogram(
    "fraud_stage_seconds",
    "Time a micro-batch spent in a stage.",
    ["stage"],
    buckets=LATENCY_BUCKETS_S,
)
BATCH_ROWS = Histogram("fraud_batch_rows", "Rows of a micro-batch.", buckets=ROW_BUCKETS)
VOTE_LATENCY = Histogram(
    "fraud_vote_seconds",
    "Time until a variant answered or was given up, as measured by the combiner.",
    ["variant"],
    buckets=LATENCY_BUCKETS_S,
)
VOTES = Counter("fraud_votes_total", "Calls to variants, by result.", ["variant", "status"])
VARIANT_ROWS = Counter("fraud_variant_rows_total", "Rows scored by a variant's pool.", ["variant"])
VARIANT_BUSY = Counter(
    "fraud_variant_busy_seconds_total", "Time a variant's pool spent scoring.", ["variant"]
)
VARIANT_ERRORS = Counter(
    "fraud_variant_errors_total",
    "Calls that a variant's replica failed, by error.",
    ["variant", "error"],
)
VARIANT_SWAPS = Counter(
    "fraud_variant_swaps_total",
    "Artifacts that replicas began to serve (`taken`) or refused (`refused`).",
    ["variant", "result"],
)
PLAN_VERSION = Gauge(
    "fraud_plan_version",
    "Version of the house's active plan; 0: that plan decides no more.",
    ["plan"],
    multiprocess_mode="livemostrecent",
)
PLAN_KEPT = Gauge(
    "fraud_plan_kept",
    "Combiners that decide by this machine's copy of the plan, as PostgreSQL has not answered since"
    " they started. Another plan may be active.",
    multiprocess_mode="livesum",
)
ARM_DECISIONS = Counter(
    "fraud_arm_decisions_total",
    "Decisions of the house's plan, if it splits, by the way through it: segment, arm, stage.",
    ["plan", "arm", "outcome"],
)
ARM_ERROR_RATE = Gauge(
    "fraud_arm_error_rate",
    "Share of an arm's decisions that lack a vote, over the window of its guard rails.",
    ["plan", "arm"],
    multiprocess_mode="livemostrecent",
)
ARM_BLOCK_RATE = Gauge(
    "fraud_arm_block_rate",
    "Share of an arm's payments that are blocked, over the window of its guard rails.",
    ["plan", "arm"],
    multiprocess_mode="livemostrecent",
)
ARM_P95 = Gauge(
    "fraud_arm_p95_seconds",
    "95 % quantile of an arm's wait for votes, over the window of its guard rails.",
    ["plan", "arm"],
    multiprocess_mode="livemostrecent",
)
CANARY_SHARE = Gauge(
    "fraud_canary_share",
    "Share of the customers of its split that a canary has.",
    ["plan", "arm"],
    multiprocess_mode="livemostrecent",
)
PLAN_GUARD_RAIL = Counter(
    "fraud_plan_guard_rail_total",
    "Arms that left a band of their guard rails: taken out, unless they are the control.",
    ["plan", "arm", "band"],
)
GUARD_RAIL_ERRORS = Counter(
    "fraud_guard_rail_errors_total", "Attempts to look at arms and canaries that failed."
)
SHADOW_ROWS = Counter(
    "fraud_shadow_rows_total",
    "Payments that a shadow was to be asked about: asked, dropped under load, or failed; and"
    " unrecorded ones of any shadow. Shadows of tenants' plans have no name here.",
    ["shadow", "result"],
)
SHADOW_SECONDS = Counter(
    "fraud_shadow_seconds_total",
    "Time from asking a shadow about a micro-batch to its answer.",
    ["shadow"],
)
PLAN_ERRORS = Counter(
    "fraud_plan_errors_total",
    "Attempts to read the active plans that failed, or found one that cannot be read.",
)
PLAN_CHANGES = Counter(
    "fraud_plan_changes_total", "Plans that began to decide, the house's and tenants'."
)
PLAN_OWNERS = Gauge(
    "fraud_plan_owners",
    "Active plans: the house's, and one for each tenant that has its own.",
    multiprocess_mode="livemostrecent",
)
PLAN_UNREADABLE = Gauge(
    "fraud_plan_unreadable",
    "Active plans whose document cannot be read. The last one of the same owner decides on.",
    multiprocess_mode="livemax",
)
LOG_LAG_ROWS = Gauge(
    "fraud_log_lag_rows",
    "Records durable here that PostgreSQL does not have yet.",
    multiprocess_mode="livesum",
)
LOG_AT_RISK_ROWS = Gauge(
    "fraud_log_at_risk_rows",
    "Records of answered decisions that only this machine's disk holds: lost if the disk is.",
    multiprocess_mode="livesum",
)
LOG_LAG_BYTES = Gauge(
    "fraud_log_lag_bytes", "Size of the decision log on disk.", multiprocess_mode="livesum"
)
LOG_LAG_SECONDS = Gauge(
    "fraud_log_lag_seconds",
    "Age of the oldest record that PostgreSQL does not have yet.",
    multiprocess_mode="livemax",
)
FEATURE_PSI = Gauge(
    "fraud_feature_psi",
    "Population stability index of a feature: recent decisions against the training data of the"
    " plan that made them; owner is the tenant of a plan of its own, empty for the house's.",
    ["feature", "owner"],
    multiprocess_mode="livemostrecent",
)
SCORE_PSI = Gauge(
    "fraud_score_psi",
    "Population stability index of a model's score; the model `ensemble` is the combination.",
    ["model", "owner"],
    multiprocess_mode="livemostrecent",
)
CALIBRATION_ERROR = Gauge(
    "fraud_calibration_error",
    "Mean distance between a model's probabilities and the labels that arrived.",
    ["model", "owner"],
    multiprocess_mode="livemostrecent",
)
DRIFT_AT = Gauge(
    "fraud_drift_computed_timestamp_seconds",
    "Time of the last drift measurement, seconds since 1970.",
    multiprocess_mode="livemostrecent",
)
DRIFT_ERRORS = Counter("fraud_drift_errors_total", "Attempts to compute drift that failed.")
LOG_REFUSED = Counter(
    "fraud_log_refused_rows_total",
    "Decisions withheld because their record could not be made durable.",
)
RATE_LIMITED = Counter(
    "fraud_rate_limited_rows_total",
    "Rows over a limit of their key's tier; a request that is refused unread counts as one.",
    ["limit"],
)
LIMITS_LOCAL = Gauge(
    "fraud_rate_limits_local",
    "Ingresses that keep rate limits locally, as Redis does not answer them.",
    multiprocess_mode="livesum",
)


def _log_counter(name: str, text: str) -> Any:
    return field(default=0, metadata={"counter": Counter(name, text)})


@dataclass(slots=True)
class LogStats:
    """The counts of one decision log since its start.

    Each field is a plain number that only grows and has one writer, so the thread that writes to
    disk may count without a lock; `publish` adds them to the metrics.
    """

    appended_rows: int = _log_counter(
        "fraud_decision_log_appended_rows_total", "Records made durable on this machine."
    )
    appended_bytes: int = _log_counter(
        "fraud_decision_log_appended_bytes_total", "Size of those records in the log."
    )
    refused_rows: int = _log_counter(
        "fraud_decision_log_refused_rows_total",
        "Records that could not be made durable: their decisions were withheld.",
    )
    commits: int = _log_counter(
        "fraud_decision_log_commits_total", "Group commits to disk, of one sync each."
    )
    commit_seconds: float = _log_counter(
        "fraud_decision_log_commit_seconds_total", "Time spent in group commits."
    )
    shipped_rows: int = _log_counter(
        "fraud_decision_log_shipped_rows_total",
        "Records written to PostgreSQL, those of dead writers included.",
    )
    own_shipped_rows: int = _log_counter(
        "fraud_decision_log_own_shipped_rows_total",
        "Of the records appended here, those that have left the log.",
    )
    repeated_rows: int = _log_counter(
        "fraud_decision_log_repeated_rows_total",
        "Of the records written, those that PostgreSQL had already: a shipper was killed before it"
        " could note them, or two shipped the same log.",
    )
    ship_batches: int = _log_counter(
        "fraud_decision_log_ship_batches_total", "Transactions of the shipper on PostgreSQL."
    )
    ship_errors: int = _log_counter(
        "fraud_decision_log_ship_errors_total",
        "Attempts to ship that failed: PostgreSQL did not answer, or refused the whole batch.",
    )
    dead_letters: int = _log_counter(
        "fraud_decision_log_dead_letters_total",
        "Records that PostgreSQL refuses for good, set aside on disk.",
    )
    damaged_bytes: int = _log_counter(
        "fraud_decision_log_damaged_bytes_total",
        "Bytes of the log that cannot be read, before its last intact record.",
    )
    torn_bytes: int = _log_counter(
        "fraud_decision_log_torn_bytes_total",
        "Bytes after the last intact record of a writer that died.",
    )
    taken_over: int = _log_counter(
        "fraud_decision_log_taken_over_total", "Logs of dead writers that were shipped."
    )
    _published: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    def publish(self) -> None:
        """Add to the metrics what was counted since the last call."""
        for name, counter in _LOG_COUNTERS.items():
            value = getattr(self, name)
            counter.inc(value - self._published.get(name, 0))
            self._published[name] = value


_LOG_COUNTERS: dict[str, Counter] = {
    f.name: f.metadata["counter"] for f in fields(LogStats) if "counter" in f.metadata
}


class _RecentShare:
    """Share of flagged rows in the last micro-batches, kept as running sums."""

    def __init__(self, batches: int) -> None:
        self._recent: deque[tuple[int, int]] = deque([(0, 0)] * batches, maxlen=batches)
        self._flagged = self._rows = 0

    def add(self, flagged: int, rows: int) -> float:
        """Add a micro-batch and return the share after it, 0.0 if there are no rows."""
        old_flagged, old_rows = self._recent[0]
        self._recent.append((flagged, rows))
        self._flagged += flagged - old_flagged
        self._rows += rows - old_rows
        return self._flagged / self._rows if self._rows else 0.0


_recent = _RecentShare(_RECENT_BATCHES)

tally = Tally()
"""Counts of this process that are not added yet. Call `tally.arm()` after counting."""


def observe_stages(stage_ms: dict[str, float]) -> None:
    """Record the time that one micro-batch spent in each stage (`fraud.stage`)."""
    for stage, ms in stage_ms.items():
        tally.observe(STAGE, ms / 1e3, stage)
    tally.arm()


def observe_vote(variant: str, status: str, elapsed_ms: float, rows: int, flagged: int) -> None:
    """Record one call to a variant.

    Args:
        variant, status, elapsed_ms: see `fraud.decision.Vote`.
        rows: rows that got a score.
        flagged: of those, the ones at or above the plan's lowest threshold.
    """
    tally.count(VOTES, 1, variant, status)
    if elapsed_ms > 0:  # 0 if it was not called, which would make the variant look fast
        tally.observe(VOTE_LATENCY, elapsed_ms / 1e3, variant)
    if rows:
        tally.count(PREDICTIONS, flagged, variant, "fraud")
        tally.count(PREDICTIONS, rows - flagged, variant, "legitimate")
    tally.arm()


def observe_arm(plan: str, arm: str, outcomes: list[int]) -> None:
    """Record the outcomes (indices into `OUTCOMES`) of rows that went one way through a plan."""
    for index, rows in collections.Counter(outcomes).items():
        tally.count(ARM_DECISIONS, rows, plan, arm, _OUTCOMES[index])
    tally.arm()


def observe_shadow(shadow: str, result: str, rows: int, seconds: float = 0.0) -> None:
    """Record what became of rows that a shadow was to be asked about.

    Args:
        shadow: its name; "" for those of tenants' plans.
        result: `asked`, `dropped`, `failed`, or `unrecorded` (of any shadow).
        seconds: that asking took.
    """
    tally.count(SHADOW_ROWS, rows, shadow, result)
    if seconds:
        tally.count(SHADOW_SECONDS, seconds, shadow)
    tally.arm()


def observe_decisions(outcomes: list[int], degraded: list[tuple[str, ...]]) -> None:
    """Record one decided micro-batch.

    Args:
        outcomes: of each row, the index into `OUTCOMES`.
        degraded: of each row, why its decision is degraded, () if it is not.
    """
    n = len(outcomes)
    approved = outcomes.count(0)
    tally.count(DECISIONS, approved, _OUTCOMES[0])
    if approved < n:
        for index in range(1, len(_OUTCOMES)):
            tally.count(DECISIONS, outcomes.count(index), _OUTCOMES[index])
    tally.count(PREDICTIONS, n - approved, "plan", "fraud")
    tally.count(PREDICTIONS, approved, "plan", "legitimate")
    if any(degraded):
        for reason, rows in collections.Counter(chain.from_iterable(degraded)).items():
            tally.count(DEGRADED, rows, reason)
    tally.observe(BATCH_ROWS, n)
    tally.set(DETECTION_RATE, _recent.add(n - approved, n))
    tally.arm()
