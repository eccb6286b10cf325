"""Jobs on the wire."""

from __future__ import annotations

import msgspec

from bulk.jobs.options import JobOptions
from references.matching.match import Match
from serve_app.http.wire.job_schemas import JobOptionsIn
from serve_app.http.wire.match_schemas import match_out
from tests.contracts.job_front import CENTS, match_of


def test_the_documented_options_are_the_options_and_their_defaults() -> None:
    ours = JobOptions.model_validate({}).model_dump(mode="json")
    assert msgspec.to_builtins(JobOptionsIn()) == ours


def test_a_match_is_sent_whole() -> None:
    for match in (match_of(proposed=CENTS), match_of(fits=False)):
        sent = msgspec.to_builtins(match_out(match))
        assert Match.from_document(sent) == match
