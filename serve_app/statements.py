"""The SQL of the front, read once from files of their own."""

from __future__ import annotations

from importlib.resources import files

_FOLDER = files("serve_app") / "sql"


def _read(name: str) -> str:
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


FIND_KEY = _read("find_key")
FIND_DECISION = _read("find_decision")
LOCK_LABEL = _read("lock_label")
NEWEST_LABEL = _read("newest_label")
LABEL_AT = _read("label_at")
INSERT_LABEL = _read("insert_label")
ACTIVE_PLAN = _read("active_plan")
