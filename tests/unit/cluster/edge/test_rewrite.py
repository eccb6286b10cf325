"""Corrections to the configuration that Serve 2.60 writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.edge.answers import ANSWERS
from cluster.edge.options import EdgeOptions
from cluster.edge.rewrite import EdgeConfig, UnknownServeConfig, has_routes, rewrite
from tests.contracts.serve_haproxy import written_by_serve

RECORDED = (Path(__file__).parent / "serve_2_60.cfg").read_text()
OPTIONS = EdgeOptions(spare=True, host="127.0.0.1", own_front="127.0.0.1:8001")
EDGE = EdgeConfig(Path("/answers"), Path("/F/edge.sock"), OPTIONS)


def _edge(**options: Any) -> EdgeConfig:
    return replace(EDGE, options=replace(OPTIONS, **options))


def servers(config: str, head: str) -> list[str]:
    """The names of the servers of a section, `backup` beside those that are it."""
    lines = [line for line in section(config, head) if line.startswith("server ")]
    return [" ".join([line.split()[1], *line.split()[10:]]) for line in lines]


def without(config: str, application: str) -> str:
    """The configuration before Serve knows an application."""
    name = f"http-{application}"
    start = config.index(f"backend {name}\n")
    ends = [config.find(end, start + 1) for end in ("\nbackend ", "\nlisten ")]
    config = config[:start] + config[min(end for end in ends if end > 0) + 1 :]
    return "\n".join(line for line in config.split("\n") if name not in line)


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
    ours = ["127.0.0.1:8000", "127.0.0.1:8001"]
    assert sorted(binds) == [*ours, "unix@/F/prometheus.sock", "unix@/F/stats.sock"]
    assert config.count(".sock mode 600") == 3
    (line,) = [line for line in section(config, "global") if line.startswith("stats socket")]
    assert line == "stats socket /F/edge.sock mode 600 level admin expose-fd listeners"


def test_the_address_set_by_the_operator_stays() -> None:
    config = rewrite(RECORDED.replace("bind 127.0.0.1:8000", "bind 0.0.0.0:8000"), EDGE)
    assert "bind 0.0.0.0:8000" in section(config, "frontend http_frontend")


def test_nothing_is_404_and_nothing_is_plain_text() -> None:
    config = rewrite(RECORDED, EDGE)
    assert "status 404" not in config.partition("frontend own_front")[0]
    assert section(config, "backend default_backend") == [
        "http-request return status 503 default-errorfiles"
    ]
    for status in ANSWERS:
        assert f"errorfile {status} /answers/{status}.http" in section(config, "defaults")
    assert "/F/500.http" not in config


@pytest.mark.parametrize("spare", [True, False])
def test_the_fallback_is_removed_and_a_spare_waits(spare: bool) -> None:
    lines = section(rewrite(RECORDED, _edge(spare=spare)), "backend http-decisions")
    assert [line.split()[1] for line in lines if line.startswith("server ")] == ["one", "two"]
    assert ("balance first" in lines) == spare


@pytest.mark.parametrize("spare", [True, False])
def test_replicas_of_this_node_come_first(spare: bool) -> None:
    # Serve writes the replicas of its own node with 127.0.0.1.
    there = RECORDED.replace("server one 127.0.0.1", "server one 10.0.0.1")
    config = rewrite(there, _edge(spare=spare, host="10.0.0.2"))
    assert servers(config, "backend http-decisions") == ["two", "one"]
    assert "balance first" in section(config, "backend http-decisions")
    assert servers(config, "backend own") == ["two"]


def test_several_replicas_of_this_node_share_the_work_and_others_are_the_backup() -> None:
    third = (
        "    server three 10.0.0.3:30000 check observe layer4 error-limit 1 on-error mark-down\n"
    )
    at = RECORDED.index("    # Fallback to head node", RECORDED.index("backend http-decisions\n"))
    config = rewrite(RECORDED[:at] + third + RECORDED[at:], _edge(spare=False))
    assert servers(config, "backend http-decisions") == ["one", "two", "three backup"]
    assert servers(config, "backend own") == ["one", "two"]


def test_a_node_without_replicas_is_not_ready_but_answers_requests() -> None:
    config = rewrite(RECORDED.replace("127.0.0.1:3000", "10.0.0.1:3000"), _edge(host="10.0.0.9"))
    assert section(config, "backend own") == ["http-request return status 503 default-errorfiles"]
    assert servers(config, "backend http-decisions") == ["one", "two"]


def test_the_own_front_leads_to_decisions_alone() -> None:
    assert servers(rewrite(RECORDED, EDGE), "backend own") == ["one", "two"]
    only_jobs = without(RECORDED, "decisions")
    assert section(rewrite(only_jobs, EDGE), "backend own") == [
        "http-request return status 503 default-errorfiles"
    ]
    assert not has_routes(only_jobs)
    assert not has_routes(rewrite(only_jobs, EDGE))


def test_answers_about_jobs_may_take_minutes_and_no_others() -> None:
    config = rewrite(RECORDED, EDGE)
    assert "timeout server 600s" in section(config, "backend http-jobs")
    assert config.count("timeout server") == 1
    assert servers(config, "backend http-jobs") == ["three"]


def test_jobs_that_have_not_started_are_503_and_not_taken_for_decisions() -> None:
    rule = "http-request return status 503 default-errorfiles if { path /v1/jobs } or {"
    assert rule not in rewrite(RECORDED, EDGE)
    lines = section(rewrite(without(RECORDED, "jobs"), EDGE), "frontend http_frontend")
    (at,) = [i for i, line in enumerate(lines) if line.startswith(rule)]
    assert lines[at].endswith("{ path_beg /v1/jobs/ }")
    assert at < lines.index("use_backend http-decisions if is_http-decisions")


def test_an_old_haproxy_may_end_a_long_download() -> None:
    lines = section(rewrite(RECORDED, EDGE), "global")
    assert [line for line in lines if line.startswith("hard-stop")] == ["hard-stop-after 3600s"]


def test_the_own_front_has_three_paths() -> None:
    lines = section(rewrite(RECORDED, EDGE), "frontend own_front")
    assert lines[0] == "bind 127.0.0.1:8001"
    assert lines[1].endswith("if !{ path /metrics /v2/health/live /v2/health/ready }")


def test_a_large_head_and_many_lines_get_through() -> None:
    lines = section(rewrite(RECORDED, EDGE), "global")
    assert [line for line in lines if line.startswith("tune.")] == [
        "tune.bufsize 65536",
        "tune.http.maxhdr 1000",
    ]


def test_whether_there_are_routes() -> None:
    assert has_routes(RECORDED)
    assert has_routes(rewrite(RECORDED, EDGE))
    assert not has_routes(without(RECORDED, "decisions"))


@pytest.mark.parametrize(
    "missing",
    ["stats socket", "frontend http_frontend", "backend default_backend", "listen stats"],
)
def test_a_configuration_without_a_known_part_is_refused(missing: str) -> None:
    with pytest.raises(UnknownServeConfig, match=missing):
        rewrite(RECORDED.replace(missing, "other"), EDGE)
