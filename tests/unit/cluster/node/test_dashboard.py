"""The dashboard of the installed Ray has the paths that we call."""

from __future__ import annotations

from pathlib import Path

import pytest
import ray

DASHBOARD = Path(ray.__file__).parent / "dashboard" / "modules"


@pytest.mark.parametrize(
    ("source", "route"),
    [
        ("job/job_head.py", '@routes.get("/api/version")'),
        ("serve/serve_head.py", '@routes.get("/api/serve/applications/")'),
        ("serve/serve_head.py", '@routes.put("/api/serve/applications/")'),
        ("serve/serve_head.py", '@routes.delete("/api/serve/applications/")'),
    ],
)
def test_the_paths_are_those_of_the_installed_ray(source: str, route: str) -> None:
    assert route in (DASHBOARD / source).read_text(), "look at cluster/node/dashboard.py"
