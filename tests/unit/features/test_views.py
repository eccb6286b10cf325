from __future__ import annotations

from dataclasses import replace

import numpy as np

from features.families.rows import Rows
from features.families.view import DAY, PARTNER_TABLES
from features.state.entities import ROLES
from features.views import views_of
from tests.contracts.aggregates import located, random_histories, reading_of, saw
from tests.contracts.payments import payments


def test_a_case_is_a_payment_beside_what_the_state_says() -> None:
    batch = located(payments(40, seed=2), seed=3)
    given = random_histories(40, seed=1)
    views = views_of(Rows.of(batch), reading_of(given, 40))
    for role in ROLES:
        there, seen = np.flatnonzero(given[role.name].present), given[role.name]
        view = views[role.name]
        assert view["row"].tolist() == there.tolist()
        assert view["hundredths"].tolist() == batch.amount_hundredths()[there].tolist()
        assert np.array_equal(view["since_ms"], seen.since_ms[there])
        for t, table in enumerate(role.entity.tables):
            first = DAY if role.name != "customer" else 0
            met = seen.distinct[table.partner][there]
            assert np.array_equal(view["distinct"][:, t, first : first + met.shape[1]], met)
            assert np.array_equal(
                view["partner_since_s"][:, t], seen.partner_since_s[table.partner][there]
            )
    customer = views["customer"]
    there = customer["row"]
    assert np.array_equal(customer["squares"], given["customer"].squares[there])
    position = given["customer"].position
    assert position is not None
    assert np.array_equal(customer["position_home_lon_e6_sum"], position.home_lon_e6_sum[there])
    names = [[getattr(batch, t.column)[i] is not None for t in PARTNER_TABLES] for i in there]
    assert customer["names"].tolist() == names


def test_what_an_entity_does_not_keep_is_zero() -> None:
    given = reading_of(saw("merchant", near=[3, 4]), 1)
    view = views_of(Rows.of(payments(1, seed=2)), given)["merchant"]
    assert view["near"].tolist() == [[0, 0]]
    assert not view["distinct"].any()


def test_roles_in_which_there_is_nobody_are_left_out() -> None:
    given = saw("device")
    given["device"] = replace(given["device"], present=np.zeros(1, dtype=np.bool_))
    assert views_of(Rows.of(payments(1, seed=2)), reading_of(given, 1)) == {}
    nobody = reading_of(random_histories(0, seed=1), 0)
    assert views_of(Rows.of(payments(0, seed=2)), nobody) == {}
