"""Corrections to the configuration that Serve 2.60 writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.edge.answers import ANSWERS
from cluster.edge.rewrite import EdgeConfig, UnknownServeConfig, has_routes, rewrite
from tests.contracts.serve_haproxy import written_by_serve

RECORDED = (Path(__file__).parent / "serve_2_60.cfg").read_text()
EDGE = EdgeConfig(Path("/answers"), Path("/F/edge.sock"), spare=True)


def section(config: str, head: str) -> list[str]:
    """The lines of one section."""
    lines = config.splitlines()
    first = lines.index(head) + 1
    found = []
    for line in lines[first:]:
        if line[:1].strip():
            break
        found.append(line.strip())
    return found


def test_serve_still_writes_what_was_recorded(tmp_path: Path) -> None:
    assert written_by_serve(tmp_path) == RECORDED, (
        "Serve's template changed: look at cluster/edge/rewrite.py, then record it anew"
    )


def test_only_the_http_port_is_public() -> None:
    config = rewrite(RECORDED, EDGE)
    binds = [line.split()[1] for line in config.splitlines() if line.strip().startswith("bind ")]
    assert sorted(binds) == ["127.0.0.1:8000", "unix@/F/prometheus.sock", "unix@/F/stats.sock"]
    assert config.count(".sock mode 600") == 3
    (line,) = [line for line in section(config, "global") if line.startswith("stats socket")]
    assert line == "stats socket /F/edge.sock mode 600 level admin expose-fd listeners"


def test_the_address_set_by_the_operator_stays() -> None:
    config = rewrite(RECORDED.replace("bind 127.0.0.1:8000", "bind 0.0.0.0:8000"), EDGE)
    assert "bind 0.0.0.0:8000" in section(config, "frontend http_frontend")


def test_nothing_is_404_and_nothing_is_plain_text() -> None:
    config = rewrite(RECORDED, EDGE)
    assert "status 404" not in config
    assert section(config, "backend default_backend") == [
        "http-request return status 503 default-errorfiles"
    ]
    for status in ANSWERS:
        assert f"errorfile {status} /answers/{status}.http" in section(config, "defaults")
    assert "/F/500.http" not in config


@pytest.mark.parametrize("spare", [True, False])
def test_the_fallback_is_removed_and_a_spare_waits(spare: bool) -> None:
    lines = section(rewrite(RECORDED, replace(EDGE, spare=spare)), "backend http-decisions")
    assert [line.split()[1] for line in lines if line.startswith("server ")] == ["one", "two"]
    assert ("balance first" in lines) == spare


def test_a_large_head_and_many_lines_get_through() -> None:
    lines = section(rewrite(RECORDED, EDGE), "global")
    assert [line for line in lines if line.startswith("tune.")] == [
        "tune.bufsize 65536",
        "tune.http.maxhdr 1000",
    ]


def test_whether_there_are_routes() -> None:
    assert has_routes(RECORDED)
    assert has_routes(rewrite(RECORDED, EDGE))
    assert not has_routes(RECORDED.replace("    use_backend http-decisions", "    # "))


@pytest.mark.parametrize(
    "missing",
    ["stats socket", "frontend http_frontend", "backend default_backend", "listen stats"],
)
def test_a_configuration_without_a_known_part_is_refused(missing: str) -> None:
    with pytest.raises(UnknownServeConfig, match=missing):
        rewrite(RECORDED.replace(missing, "other"), EDGE)
