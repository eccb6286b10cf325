"""The arguments of the stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.edge.stand_in import Order


@pytest.mark.parametrize(
    ("arguments", "replaced"),
    [
        (["-db", "-f", "/F/haproxy.cfg"], ()),
        (["-f", "/F/haproxy.cfg", "-sf", "12", "34"], (12, 34)),
        (["-sf", "12", "-x", "/F/admin.sock", "-f", "/F/haproxy.cfg"], (12,)),
    ],
)
def test_an_order_is_read_from_the_arguments_of_haproxy(
    arguments: list[str], replaced: tuple[int, ...]
) -> None:
    assert Order.of(arguments) == Order(Path("/F/haproxy.cfg"), replaced)
