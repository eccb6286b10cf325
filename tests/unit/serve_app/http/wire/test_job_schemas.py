"""Jobs on the wire."""

from __future__ import annotations

import msgspec

from bulk.jobs.options import JobOptions
from serve_app.http.wire.job_schemas import JobOptionsIn


def test_the_documented_options_are_the_options_and_their_defaults() -> None:
    ours = JobOptions.model_validate({}).model_dump(mode="json")
    assert msgspec.to_builtins(JobOptionsIn()) == ours
