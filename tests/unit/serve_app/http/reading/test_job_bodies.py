"""What clients say about jobs. Faults of bodies are tested with the routes."""

from __future__ import annotations

from uuid import UUID

import pytest

from fraud.errors import InvalidInput, NotFound
from serve_app.http.problems import HttpProblem
from serve_app.http.reading.job_bodies import (
    read_changes,
    read_dry_run,
    read_form_options,
    read_format,
    read_job_id,
    read_page,
    read_source,
)

JOB_ID = "019caa6a-f000-7c11-9d0e-3f1f6c2b8a55"


def test_a_source_has_default_options() -> None:
    found = read_source({"source": "/data/march.csv"})
    assert (found.source, found.options.models) == ("/data/march.csv", 3)


def test_one_field_of_options_and_others_beside_it() -> None:
    options = read_form_options([("options", '{"models": 2, "ignore": ["a"]}'), ("high", "0.7")])
    assert (options.models, options.ignore, options.high) == (2, ("a",), 0.7)


def test_a_list_is_a_repeated_field() -> None:
    assert read_form_options([("model", "a"), ("model", "b")]).model == ("a", "b")


def test_changes() -> None:
    assert read_changes(None) == {}
    assert read_changes({}) == {}
    assert read_changes({"options": {"models": 1}}) == {"models": 1}


@pytest.mark.parametrize("text", ["", "1", JOB_ID.replace("-", ""), f"{{{JOB_ID}}}", "../x"])
def test_what_is_no_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        read_job_id(text)


def test_an_id_in_capitals_is_the_same() -> None:
    assert read_job_id(JOB_ID.upper()) == UUID(JOB_ID)


def test_a_page() -> None:
    assert read_page([]) == (50, None)
    assert read_page([("limit", "7"), ("before", JOB_ID)]) == (7, UUID(JOB_ID))


def test_a_dry_run() -> None:
    assert read_dry_run([("dry_run", "true")])
    assert not read_dry_run([("dry_run", "false")])
    assert not read_dry_run([])
    with pytest.raises(InvalidInput):
        read_dry_run([("dry_run", "true"), ("dry_run", "true")])


def test_the_query_counts_more_than_the_header() -> None:
    assert read_format([("format", "parquet")], "text/csv") == "parquet"
    assert read_format([], "") is None
    with pytest.raises(HttpProblem):
        read_format([], "text/csv;q=0")
