"""Query strings of requests about plans."""

from __future__ import annotations

import pytest

from fraud.errors import InvalidInput
from serve_app.http.reading.plan_query import DEFAULT_PLANS, read_listing, read_of_house


def test_a_listing_has_defaults():
    assert read_listing([]) == (None, DEFAULT_PLANS)
    assert read_listing([("limit", "1000"), ("name", "a.b")]) == ("a.b", 1000)


@pytest.mark.parametrize(
    "given",
    [
        *(("limit", value) for value in ("0", "1001", "x", "", "-1", "1.0", "٣")),
        *(("name", value) for value in ("", "a/b", "a\0")),
        *(("owner", "house"), ("<b>", "1")),
    ],
)
def test_a_faulty_listing_is_refused(given):
    with pytest.raises(InvalidInput) as caught:
        read_listing([given])
    ((pointer, *_),) = caught.value.errors
    assert pointer == ("" if given[0] == "<b>" else f"/{given[0]}")


def test_the_plan_of_the_house_is_asked_for_by_its_name():
    assert not read_of_house([])
    assert read_of_house([("owner", "house")])
    for given in ([("owner", "acme")], [("owner", "house")] * 2, [("name", "a")]):
        with pytest.raises(InvalidInput):
            read_of_house(given)
