"""Where the files of a job are."""

from __future__ import annotations

from pathlib import Path

from bulk.jobs.paths import JobPaths
from stores.whole_file import whole_file

PATHS = JobPaths(Path("/jobs/1"))


def test_each_file_has_a_place_of_its_own_in_the_jobs_folder() -> None:
    files = [
        *(PATHS.upload, PATHS.sample, PATHS.profile, PATHS.errors, PATHS.replay),
        *(PATHS.replay_errors, PATHS.result),
        *(place(n) for place in (PATHS.part, PATHS.scores, PATHS.replayed) for n in (0, 1, 11)),
    ]
    assert len(set(files)) == len(files)
    assert all(PATHS.folder in file.parents for file in files)


def test_parts_are_counted_by_their_numbers_and_half_written_ones_are_none(tmp_path: Path) -> None:
    paths = JobPaths(tmp_path)
    assert paths.part_numbers == []
    for number in (1_000_000, 2, 10, 0):  # names alone would put the first before the second
        with whole_file(paths.part(number)) as made:
            assert number not in paths.part_numbers
            made.touch()
    assert paths.part_numbers == [0, 2, 10, 1_000_000]


def test_of_a_job_that_has_ended_its_result_and_errors_stay() -> None:
    assert {path.name for path in PATHS.fetched} == {"result.parquet", "errors.parquet"}
