"""Log records of modules reach the log file of their replica."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from telemetry.logs import log_to_replica


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@pytest.fixture
def kept() -> Iterator[Kept]:
    """Return the log file of a replica whose Serve logs warnings."""
    serve, root = logging.getLogger("ray.serve"), logging.getLogger()
    before = (serve.level, list(serve.handlers), serve.propagate, list(root.handlers))
    file = Kept()
    serve.setLevel(logging.WARNING)
    serve.handlers[:] = [file]
    serve.propagate = False
    yield file
    serve.setLevel(before[0])
    serve.handlers[:], serve.propagate = before[1], before[2]
    root.handlers[:] = before[3]


def test_a_warning_of_any_module_is_there_once(kept: Kept) -> None:
    log_to_replica()
    log_to_replica()
    logging.getLogger("features.service").warning("no window state")
    logging.getLogger("ray.serve").warning("its own")
    assert kept.said == ["no window state", "its own"]


def test_records_below_serves_level_are_not_logged(kept: Kept) -> None:
    log_to_replica()
    logger = logging.getLogger("deciding.decider")
    logger.setLevel(logging.INFO)
    logger.info("chatter")
    logger.setLevel(logging.NOTSET)
    assert kept.said == []


def test_a_logger_that_is_configured_anew_is_followed(kept: Kept) -> None:
    log_to_replica()
    serve, other = logging.getLogger("ray.serve"), Kept()
    serve.handlers[:] = [other]
    logging.getLogger("features.service").warning("later")
    assert (kept.said, other.said) == ([], ["later"])
