"""Links by replica and by pool."""

from __future__ import annotations

from deployments.links.link import Link
from deployments.links.table import LinkTable


def test_closed_links_do_not_count_and_are_dropped():
    table = LinkTable()
    links = [Link() for _ in range(3)]
    for name, link in zip(("a~P~1", "a~P~2", "a~Q~1"), links, strict=True):
        link.open = True
        table.add(name, link)
    assert (table.size("a~P"), table.size("a~Q"), table.size("a~R")) == (2, 1, 0)
    links[0].open = False
    assert table.size("a~P") == 1
    assert "a~P~1" in table
    table.drop_closed()
    assert "a~P~1" not in table
    assert table.pools["a~P"] == [links[1]]
    table.hang_up()
    assert not any(link.open for link in links)
