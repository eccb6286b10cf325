"""The columns of a micro-batch that rules read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from fraud.payment.batch import Float32, TransactionBatch
from fraud.reasons.number_text import TIMES, count_of, exact_money


class RuleFeature(StrEnum):
    """Every feature that a rule reads or names, by its name in the feature schema."""

    AMOUNT = "request_amount"
    AMOUNT_ZSCORE_30D = "customer_amount_zscore_30d"
    AMOUNT_RATIO_30D = "customer_amount_ratio_30d"
    COUNT_1H = "customer_count_1h"
    COUNT_24H = "customer_count_24h"
    COUNT_30D = "customer_count_30d"
    COUNT_60D = "customer_count_60d"
    VELOCITY_RATIO_24H = "customer_velocity_ratio_24h"
    NEW_DEVICE = "customer_new_device"
    NEW_COUNTERPARTY = "customer_new_counterparty"
    DISTINCT_MERCHANTS_1H = "customer_distinct_merchants_1h"
    DEVICE_CUSTOMERS_24H = "device_distinct_customers_24h"


class Columns:
    """Columns of n payments and of their features.

    Args:
        batch: n payments.
        values: float32[n, n_features], NaN where unknown.
        places: feature -> its column in `values`.

    Attributes:
        amount_minor: int64[n], amounts in minor units.
    """

    def __init__(
        self, batch: TransactionBatch, values: Float32, places: Mapping[RuleFeature, int]
    ) -> None:
        self.amount_minor = np.array(batch.amount_minor, dtype=np.int64)
        self._currency = batch.currency
        self._values = values
        self._places = places

    def __getitem__(self, feature: RuleFeature) -> Float32:
        """Return the column of a feature, float32[n]."""
        return self._values[:, self._places[feature]]

    def count(self, noun: str, feature: RuleFeature, i: int) -> str:
        """Return the value of row i with its noun, such as "12 payments"."""
        return count_of(noun).value(float(self[feature][i]), self._currency[i])

    def times(self, feature: RuleFeature, i: int) -> str:
        """Return the value of row i as a factor, such as "12 times"."""
        return TIMES.value(float(self[feature][i]), self._currency[i])

    def amount(self, i: int) -> str:
        """Return the amount of row i with its currency."""
        return self.money(int(self.amount_minor[i]), i)

    def money(self, amount_minor: int, i: int) -> str:
        """Return an amount in minor units as text, with the currency of row i."""
        return exact_money(amount_minor, self._currency[i])
