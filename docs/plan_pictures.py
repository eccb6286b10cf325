"""Draw docs/plans/*.svg: the graphs of the plans in docs/plans.md.

python -m docs.plan_pictures        (or `make docs`)
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cluster.plans.graph import graph_of
from cluster.plans.reading import read_plan_text
from cluster.plans.svg_picture import svg_of
from fraud.plan import Plan

FOLDER = Path(__file__).parent
_EXAMPLE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[dict[str, Any]]:
    """Return the documents of the page, in its order, as they are written."""
    page = (FOLDER / "plans.md").read_text("utf-8")
    return [read_plan_text(text).document for text in _EXAMPLE.findall(page)]


def pictures() -> dict[str, str]:
    """Return file name -> picture."""
    plans = (Plan.from_document({**document, "version": 1}) for document in examples())
    return {f"{plan.name}.svg": svg_of(graph_of(_shown(plan))) for plan in plans}


def _shown(plan: Plan) -> dict[str, Any]:
    """The whole document, with what the page leaves out, but without the version."""
    return {key: value for key, value in plan.to_document().items() if key != "version"}


if __name__ == "__main__":
    for name, picture in pictures().items():
        (FOLDER / "plans" / name).write_text(picture, "utf-8")
