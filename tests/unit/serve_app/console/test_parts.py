"""The parts behind the pages."""

from __future__ import annotations

from pathlib import Path

from serve_app.console.parts import Parts
from tests.contracts.front import PEPPER
from tests.contracts.job_front import JobFront


def test_no_text_of_the_parts_shows_the_secret(tmp_path: Path) -> None:
    front = JobFront(tmp_path)
    authenticate = front.services.authenticate
    parts = Parts(authenticate=authenticate, jobs=front.jobs, pepper=PEPPER)
    assert parts.pepper == PEPPER
    assert PEPPER not in repr(parts)
