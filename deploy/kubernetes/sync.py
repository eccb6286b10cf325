"""Copies files that have their home elsewhere into the folders where kustomize looks for them.

    python deploy/kubernetes/sync.py

kustomize reads no file outside of its own folder. A test compares.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("deploy/kubernetes")


def _for_pods(text: str) -> str:
    """Return the Serve configuration with the address that pods listen on."""
    return text.replace("  host: 127.0.0.1\n", "  host: 0.0.0.0\n")


def _same(text: str) -> str:
    return text


def _for_redis(text: str) -> str:
    """Return Redis' configuration with the secret's name here in its first line."""
    first = "# Redis of the component `stores`. Its users are in the secret quorum-stores.\n"
    return first + text.split("\n", 1)[1]


COPIES: dict[Path, tuple[Path, Callable[[str], str]]] = {
    HERE / "base/serve/serve_config.yaml": (Path("serve_config.yaml"), _for_pods),
    HERE / "components/stores/redis.conf": (Path("deploy/compose/redis.conf"), _for_redis),
    HERE / "components/stores/databases.sh": (Path("deploy/compose/databases.sh"), _same),
}
"""Copy -> its origin, and what becomes of the text."""


def copies(root: Path = ROOT) -> dict[Path, str]:
    """Return copy -> its text, of those whose origin is there."""
    return {
        copy: change((root / origin).read_text(encoding="utf-8"))
        for copy, (origin, change) in COPIES.items()
        if (root / origin).exists()
    }


def main() -> None:
    """Write the copies."""
    for copy, text in copies().items():
        (ROOT / copy).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
