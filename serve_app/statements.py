"""The SQL of the front, read once from files of their own."""

from __future__ import annotations

from importlib.resources import files

_FOLDER = files("serve_app") / "sql"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


FIND_KEY = _read("find_key")
FIND_DECISION = _read("find_decision")
SEARCH_BY_TIME = _read("search_by_time")
SEARCH_BY_OUTCOME = _read("search_by_outcome")
SEARCH_BY_TRANSACTION = _read("search_by_transaction")
SEARCH_BY_CUSTOMER = _read("search_by_customer")
DECIDED_PAYMENTS = _read("decided_payments")
PAYMENTS = _read("payments")
LABELS_OF = _read("labels_of")
LOCK_LABELS = _read("lock_labels")
SAID_LABELS = _read("said_labels")
INSERT_LABELS = _read("insert_labels")
ACTIVE_PLAN = _read("active_plan")
