"""Contributions become reasons, if there is evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.assemble import without_history
from features.definitions import FEATURES, NAMES
from features.reason_columns import reason_writer
from fraud.decision import Reason
from fraud.explanation import Explanation
from fraud.payment.batch import TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.reasons.catalogue import CODES, check_codes
from fraud.reasons.wording import Wording
from fraud.reasons.writer import LEAST_LOG_ODDS, ReasonWriter

WRITER = reason_writer(NAMES)
K = len(NAMES)
CURRENCY = NAMES.index("request_currency_code")


def reasons_of(
    added: dict[str, float],
    known: dict[str, float] | None = None,
    usual: dict[str, tuple[float, float]] | None = None,
    share: dict[str, float] | None = None,
    amount_minor: int = 129_990,
    currency: str = "EUR",
) -> tuple[Reason, ...]:
    """Reasons of a transfer, from contributions, values and usual ranges of features."""
    payment = Transaction(
        *("t", "c", 1_772_334_900_000, amount_minor, currency, "transfer"),
        counterparty_id="them",
        channel="mobile",
    )
    batch = TransactionBatch.of("acme", [payment])
    values = without_history(batch).values.copy()
    explanation = Explanation.bare("d" * 64, np.zeros((1, K)))
    low, high = explanation.low.copy(), explanation.high.copy()
    for name, value in (known or {}).items():
        values[0, NAMES.index(name)] = value
    for name, odds in added.items():
        explanation.contributions[0, NAMES.index(name)] = odds
    for name, (a, b) in (usual or {}).items():
        low[NAMES.index(name)], high[NAMES.index(name)] = a, b
    for name, s in (share or {}).items():
        explanation.share[0, NAMES.index(name)] = s
    explanation.low, explanation.high = low, high
    return WRITER.strongest(batch, [0], values, explanation)[0]


def sentence(name: str, value: float, more: dict[str, float] | None = None, **what) -> str:
    (reason,) = reasons_of({name: 1.0}, {name: value, **(more or {})}, **what)
    return reason.detail


def test_the_first_payment_to_a_counterparty_without_labels_is_no_evidence_of_frauds():
    prior = {f"counterparty_{what}": 2.0 for what in ("smoothed_risk_30d", "known_30d")}
    none = {"counterparty_smoothed_risk_30d": 0.005, "counterparty_known_30d": 0.0}
    frauds = {"counterparty_frauds_7d": 0.0, "counterparty_frauds_30d": 0.0}
    assert reasons_of({**prior, **dict.fromkeys(frauds, 1.0)}, {**none, **frauds}) == ()
    honest = {"counterparty_known_30d": 9.0, "counterparty_risk_30d": 0.0}
    assert reasons_of({**prior, "counterparty_risk_30d": 1.0}, {**none, **frauds, **honest}) == ()
    known = {**honest, "counterparty_risk_30d": 1 / 3, "counterparty_frauds_30d": 3.0}
    (reason,) = reasons_of(prior, {**none, **known})
    assert reason.code == "COUNTERPARTY_FRAUD"
    assert reason.contribution == 4.0
    assert "3 frauds" in reason.detail or "33 % of the labels" in reason.detail


def test_windows_of_one_entity_are_one_reason_and_add_up():
    known = {"customer_count_1h": 12.0, "customer_count_24h": 14.0, "customer_count_7d": 14.0}
    added = {"customer_count_1h": 1.0, "customer_count_24h": 0.75, "customer_count_7d": -0.25}
    (reason,) = reasons_of(added, known, {"customer_count_1h": (0.0, 2.0)})
    assert reason == Reason(
        "CUSTOMER_VELOCITY",
        "customer_count_1h",
        "12 payments by this customer in the last hour; usually 0 to 2",
        1.5,
        "raises",
    )


def test_a_code_whose_features_cancel_out_is_no_reason():
    known = {"customer_count_1h": 12.0, "customer_count_24h": 14.0}
    assert reasons_of({"customer_count_1h": 1.0, "customer_count_24h": -1.0}, known) == ()
    assert reasons_of({"customer_count_1h": LEAST_LOG_ODDS / 2}, known) == ()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("customer_count_1h", {}),
        ("customer_count_1h", {"customer_count_1h": 0.0}),
        ("customer_sum_amount_24h", {"customer_sum_amount_24h": 0.0}),
        ("device_distinct_customers_7d", {"device_distinct_customers_7d": 0.0}),
        ("customer_frauds_7d", {"customer_frauds_7d": 0.0}),
        ("merchant_risk_30d", {"merchant_risk_30d": 0.0}),
        (
            "customer_amount_zscore_30d",
            {"customer_amount_zscore_30d": 9.0, "customer_count_30d": 2.0},
        ),
        ("customer_std_amount_7d", {"customer_std_amount_7d": 50.0, "customer_count_7d": 3.0}),
        (
            "customer_amount_ratio_30d",
            {"customer_amount_ratio_30d": 9.0, "customer_count_30d": 1.0},
        ),
        ("customer_new_device", {"customer_new_device": 0.0, "customer_count_60d": 9.0}),
        ("customer_new_device", {"customer_new_device": 1.0, "customer_count_60d": 0.0}),
        ("customer_new_device", {"customer_new_device": 1.0}),
        ("request_is_night", {"request_is_night": 0.0}),
        ("customer_category_count_60d", {"customer_category_count_60d": 0.0}),
        ("customer_km_from_last", {"customer_km_from_last": np.inf}),
    ],
)
def test_without_evidence_there_is_no_reason(name, known):
    assert reasons_of({name: 5.0}, known) == ()


def test_sentences_read_as_somebody_would_write_them():
    euros = {"share": {"request_currency_code": 0.97}}
    assert sentence("customer_count_1h", 1.0) == "1 payment by this customer in the last hour"
    assert sentence(
        "device_distinct_customers_24h", 5.0, usual={"device_distinct_customers_24h": (1.0, 1.0)}
    ) == ("5 customers used this device in the last 24 hours; usually 1")
    assert sentence(
        "customer_sum_amount_24h", 1234.5, usual={"customer_sum_amount_24h": (9.5, 200.0)}, **euros
    ) == (
        "1,234.50 EUR in payments by this customer in the last 24 hours; usually 9.50 to 200.00 EUR"
    )
    assert sentence(
        "customer_amount_zscore_30d",
        6.2,
        {"customer_count_30d": 20.0},
        usual={"customer_amount_zscore_30d": (-1.0, 1.4)},
    ) == (
        "the amount is +6.2 standard deviations from the mean of payments by this customer in the"
        " last 30 days; usually -1 to +1.4"
    )
    assert sentence("customer_seconds_since_last", 40.0) == (
        "40 seconds since the last payment by this customer"
    )
    assert sentence(
        "customer_new_device",
        1.0,
        {"customer_count_60d": 4.0},
        share={"customer_new_device": 0.083},
    ) == ("this customer has not used this device in the last 60 days; true of 8.3 % of payments")
    assert sentence("request_type_code", 2.0, share={"request_type_code": 0.2}) == (
        "the type of payment is transfer; true of 20 % of payments"
    )


def test_usual_values_come_from_the_customers_own_history():
    past = {
        "customer_count_24h": 12.0,
        "customer_count_30d": 41.0,
        "customer_sum_amount_24h": 600.0,
        "customer_sum_amount_30d": 1845.0,
    }
    wide = {"customer_count_24h": (0.0, 30.0)}
    assert sentence("customer_count_24h", 12.0, past, usual=wide) == (
        "12 payments by this customer in the last 24 hours; usually about 1 for this customer"
    )
    euros = {"request_currency_code": 0.97}
    (reason,) = reasons_of({"request_log_amount": 1.0}, past, share=euros)
    assert (reason.code, reason.feature) == ("AMOUNT", "request_amount")
    assert reason.detail == "the amount is 1,299.90 EUR; usually about 45.00 EUR for this customer"


def test_amounts_are_in_the_payments_currency_and_compare_with_its_like_alone():
    usual = {"request_amount": (5.0, 90.0)}
    for share, rest in ((0.95, "; usually 5 to 90 JPY"), (0.2, ""), (float("nan"), "")):
        (reason,) = reasons_of(
            {"request_amount": 1.0},
            usual=usual,
            share={"request_currency_code": share},
            amount_minor=1299,
            currency="JPY",
        )
        assert reason.detail == f"the amount is 1,299 JPY{rest}"
    (reason,) = reasons_of({"request_amount": 1.0}, amount_minor=123_456_789, currency="EUR")
    assert reason.detail == "the amount is 1,234,567.89 EUR"  # more digits than a float32 has


@pytest.mark.parametrize("share", [0.0, 0.5, float("nan")])
def test_sums_of_a_history_have_no_currency_that_they_might_not_be_in(share):
    # Windows add amounts up whatever their currencies: 41 payments in euros are no yen.
    past = {"customer_count_30d": 41.0, "customer_sum_amount_30d": 1845.0}
    given = {"share": {"request_currency_code": share}, "currency": "JPY", "amount_minor": 50_000}
    (reason,) = reasons_of({"request_amount": 1.0}, past, **given)
    assert reason.detail == (
        "the amount is 50,000 JPY; usually about 45.00 for this customer (whatever the currency)"
    )
    assert sentence("merchant_sum_amount_1h", 1234.5, **given) == (
        "1,234.50 in payments at this merchant in the last hour (whatever the currency)"
    )
    assert "JPY" not in sentence("payer_inflow_7d", 90.0, **given)


def test_an_amount_near_the_threshold_is_worded_with_both():
    assert sentence(
        "request_is_near_threshold",
        1.0,
        share={"request_is_near_threshold": 0.004},
        amount_minor=990_050,
    ) == (
        "the amount of 9,900.50 EUR lies just under the reporting threshold of 10,000;"
        " true of 0.4 % of payments"
    )
    assert sentence("request_is_round_amount", 1.0, amount_minor=50_000, currency="JPY") == (
        "the amount of 50,000 JPY is round: a whole multiple of 10"
    )


@pytest.mark.parametrize("name", ["from_last", "from_home"])
def test_a_usual_place_is_no_evidence(name):
    assert reasons_of({f"customer_km_{name}": 1.0}, {f"customer_km_{name}": 0.0}) == ()


def test_ties_follow_the_catalogue():
    known = {"customer_count_1h": 3.0, "device_count_24h": 3.0}
    added = {"device_count_24h": 0.5, "customer_count_1h": 0.5, "request_hour": 0.5}
    codes = [r.code for r in reasons_of(added, known)]
    assert codes == sorted(codes, key=CODES.index)
    assert len(codes) == 3


@given(
    arrays(np.float64, (3, K), elements=st.floats(-2, 2) | st.just(np.nan)),
    arrays(np.float32, (3, K), elements=st.floats(-9, 9, width=32) | st.just(np.nan)),
)
def test_reasons_are_sorted_distinct_few_and_of_the_catalogue(contributions, values):
    rows = [Transaction(f"t{i}", "c", 0, 100, "EUR", "payment") for i in range(3)]
    batch = TransactionBatch.of("acme", rows)
    explanation = Explanation.bare("", contributions)
    found = WRITER.strongest(batch, [0, 1, 2], values, explanation)
    evidence = WRITER.evidence(values)
    for i, reasons in enumerate(found):
        sizes = [r.contribution for r in reasons]
        assert sizes == sorted(sizes, reverse=True)
        assert all(size > 0 for size in sizes)
        assert len({r.code for r in reasons}) == len(reasons) <= 4
        assert {r.code for r in reasons} <= set(CODES)
        assert all("{" not in r.detail for r in reasons)
        alone = Explanation.bare("", contributions[i : i + 1])
        assert WRITER.strongest(batch, [i], values[i : i + 1], alone) == [reasons]
        for r in reasons:
            ours = [
                j
                for j, f in enumerate(FEATURES)
                if f.wording.code == r.code
                and evidence[i, j]
                and contributions[i, j] == contributions[i, j]
            ]
            assert r.contribution == pytest.approx(sum(contributions[i, ours]), abs=2e-6)


def test_columns_of_a_table_are_worded_by_name_and_value():
    writer = reason_writer(("V1", "V14"))
    batch = TransactionBatch.of("acme", [Transaction("t", "c", 0, 100, "EUR", "payment")])
    given = Explanation(
        "", np.array([[0.5, 2.0]]), np.array([-1.0, -1.2]), np.array([1.0, 0.9]), np.ones((1, 2))
    )
    values = np.array([[np.nan, -7.214]], dtype=np.float32)
    (reason,) = writer.strongest(batch, [0], values, given)[0]
    assert reason == Reason("TABLE_COLUMN", "V14", "column V14 is -7.2; usually -1.2 to 0.9", 2.0)


def test_a_code_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(ValueError, match="NEW_CODE"):
        ReasonWriter(["a"], [Wording("NEW_CODE", "{value}")], "currency")
    with pytest.raises(ValueError, match="NEW_CODE"):
        check_codes(["AMOUNT", "NEW_CODE"])


def test_there_are_about_twenty_codes_and_each_is_explained():
    from fraud.reasons.catalogue import CATALOGUE

    assert len(set(CODES)) == len(CODES) <= 25
    assert all(entry.meaning for entry in CATALOGUE)


def test_no_rows():
    batch = TransactionBatch.of("acme", [])
    empty = np.empty((0, K), dtype=np.float32)
    assert WRITER.strongest(batch, [], empty, Explanation.bare("", np.empty((0, K)))) == []
