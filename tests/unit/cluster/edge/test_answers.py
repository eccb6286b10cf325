"""HAProxy's own answers."""

from __future__ import annotations

import json
from pathlib import Path

from cluster.edge.answers import ANSWERS, error_files
from serve_app.http.problems import KINDS


def test_answers_are_http_with_the_right_length(tmp_path: Path) -> None:
    error_files(tmp_path)
    for status in ANSWERS:
        head, _, body = (tmp_path / f"{status}.http").read_bytes().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 ")
        assert b"content-length: %d" % len(body) in head
        waits = ANSWERS[status].slug in ("unavailable", "timeout")
        assert (b"retry-after: 1" in head) == waits


def test_each_is_a_problem_of_the_api_with_its_status(tmp_path: Path) -> None:
    error_files(tmp_path)
    for status in ANSWERS:
        head, _, body = (tmp_path / f"{status}.http").read_bytes().partition(b"\r\n\r\n")
        document = json.loads(body)
        kind = document["type"].removeprefix("urn:quorum:problem:")
        assert (document["status"], document["title"]) == KINDS[kind]
        assert head.split()[1] == b"%d" % document["status"]
        assert b"content-type: application/problem+json" in head
