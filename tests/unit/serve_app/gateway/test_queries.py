"""Decision ids from requests."""

from __future__ import annotations

import pytest

from serve_app.gateway.queries import parse_decision_id

ID = "019caa6a-f000-7c11-9d0e-3f1f6c2b8a55"


@pytest.mark.parametrize("text", [ID, ID.upper()])
def test_an_id_of_an_answer_is_one(text: str) -> None:
    assert str(parse_decision_id(text)) == ID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nope",
        ID[:-1],
        f"{ID} ",
        f"urn:uuid:{ID}",
        ID.replace("-", ""),
        ID.replace("-", "") + "----",
        "----" + ID.replace("-", ""),
        f"{{{ID.replace('-', '')}}}--",
        f"{ID[:5]}_{ID[6:]}",
        ID.replace("0", "\u0660"),
        ID.replace("-7c11", "-4c11"),
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
    ],
)
def test_another_way_to_write_one_is_none(text: str) -> None:
    assert parse_decision_id(text) is None
