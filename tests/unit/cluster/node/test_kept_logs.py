"""Logs of sessions that have ended."""

from __future__ import annotations

from pathlib import Path

from cluster.node.kept_logs import KEPT, keep_logs


def session(root: Path, number: int) -> Path:
    logs = root / f"session_2026-11-0{number}_10-00-00_000000_{number}" / "logs" / "serve"
    logs.mkdir(parents=True)
    (logs / "replica.log").write_text(f"warning {number}")
    return logs.parent.parent


def test_logs_survive_the_folder_and_the_oldest_go(tmp_path: Path) -> None:
    kept = tmp_path / "home" / "logs" / "ray"
    for number in range(1, KEPT + 3):
        root = tmp_path / "ray"
        made = session(root, number)
        (root / "session_latest").unlink(missing_ok=True)
        (root / "session_latest").symlink_to(made, target_is_directory=True)
        (moved,) = keep_logs(root, kept)
        assert (moved / "serve" / "replica.log").read_text() == f"warning {number}"
        assert not (made / "logs").exists()
    assert len(list(kept.iterdir())) == KEPT
    assert max(p.name for p in kept.iterdir()).endswith(f"_{KEPT + 2}")


def test_there_may_be_no_logs(tmp_path: Path) -> None:
    assert keep_logs(tmp_path / "nowhere", tmp_path / "kept") == []
