"""`quorum wal` on what killed writers left, against a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import run
from decision_log.disk.claim import claim
from decision_log.disk.frame import frame
from decision_log.disk.segment import ASIDE, SegmentName, segments
from decision_log.entry import encode
from decision_log.log import DecisionLog
from decision_log.shipping.shipper import ShipperConfig
from tests.contracts.decision_logs import NO_DATABASE, assert_exactly_once, kill, start_writer
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.root import ROOT
from tests.contracts.waiting import until

QUICK = ShipperConfig(linger_s=0.002, busy_linger_s=0.002, retry_s=0.01, max_retry_s=0.1)
SALT = b"abcd"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    """The home of the machine that ships."""
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "home"


def lost(root: Path, names: tuple[str, ...] = ("a",), url: str = NO_DATABASE) -> list[str]:
    """Let writers be killed in the middle of appends. Returns the decisions that they answered."""
    alive = [start_writer(root, url, name) for name in names]
    told = []
    for writer in alive:
        assert writer.stdout is not None
        told += [writer.stdout.readline().strip() for _ in range(300)]
    for writer in alive:
        told += kill(writer)
    assert [n for n in names if segments(root / n)] == list(names)
    return told


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run(["wal", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert run(["wal", *arguments]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def in_process(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cluster.cli", "wal", *arguments, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"a folder"
        for path in sorted(folder.rglob("*"))
    }


def check(url: str, told: list[str]) -> None:
    asyncio.run(assert_exactly_once(url, told))


@pytest.mark.parametrize("named", ["home", "wal", "writer"])
def test_the_disk_of_a_killed_writer_is_shipped(named, tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "quorum" / "wal"
    told = lost(root, ("a", "b"))
    folder = {"home": root.parent, "wal": root, "writer": root / "a"}[named]
    if named == "writer":
        shutil.rmtree(root / "b")
        told = [line for line in told if line in _ids(root / "a")]
    waiting = answer(capsys, "list", str(folder))["writers"]
    assert {writer["alive"] for writer in waiting} == {False}
    shipped = answer(capsys, "ship", str(folder))["writers"]
    assert [w["rows"] for w in shipped] == [w["rows"] for w in waiting]
    assert [w["entries"] for w in shipped] == [w["entries"] for w in waiting]
    assert sum(w["rows"] for w in shipped) >= len(told)
    assert {(w["repeated"], w["set_aside"], w["damaged_bytes"]) for w in shipped} == {(0, 0, 0)}
    assert [w["stays"] for w in shipped] == [""] * len(shipped)
    assert os.listdir(root) == []
    check(database_url, told)
    if named == "writer":
        assert "no such folder" in refusal(capsys, "ship", str(folder))
    else:
        assert answer(capsys, "ship", str(folder))["writers"] == []


def _ids(folder: Path) -> set[str]:
    from decision_log.disk.backlog import Backlog
    from decision_log.entry import decode
    from telemetry.metrics import LogStats

    backlog = Backlog(folder, folder, LogStats(), live=True, keep=True)
    return {
        decision_id
        for payload in iter(backlog.next, None)
        for decision_id in decode(payload).decisions.decision_id
    }


def test_a_writer_that_shipped_a_part_is_not_shipped_twice(tmp_path, database_url, capsys):
    """Its position is in the folder, or was lost with the power."""
    for name, keeps_position in (("with", True), ("without", False)):
        root = tmp_path / name / "wal"
        told = lost(root, ("a",), database_url)
        if not keeps_position:
            (root / "a" / "position.json").unlink(missing_ok=True)
        [shipped] = answer(capsys, "ship", str(root))["writers"]
        assert shipped["rows"] >= shipped["repeated"]
        check(database_url, told)


def test_two_machines_ship_copies_at_once(tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "wal"
    told = lost(root, ("a", "b", "c"))
    rows = sum(w["rows"] for w in answer(capsys, "list", str(root))["writers"])
    shutil.copytree(root.parent, tmp_path / "copy")
    both = [in_process("ship", str(folder)) for folder in (root, tmp_path / "copy")]
    found = []
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        found.append(json.loads(out)["writers"])
    assert [sum(w["rows"] for w in writers) for writers in found] == [rows, rows]
    assert sum(w["repeated"] for writers in found for w in writers) == rows
    check(database_url, told)


def test_two_ship_one_folder_at_once(tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "wal"
    told = lost(root, ("a", "b", "c", "d"))
    both = [in_process("ship", str(root)) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        # One may find every folder that is left in use by the other.
        assert process.returncode == 0 or "is in use" in err, err
    assert run(["wal", "ship", str(root)]) == 0
    assert os.listdir(root) == []
    check(database_url, told)


async def test_beside_a_living_log_that_takes_the_same_folder_over(tmp_path, database_url):
    root = tmp_path / "disk" / "wal"
    told = await asyncio.to_thread(lost, root, ("a", "b"))
    living = tmp_path / "home" / "wal"
    log = DecisionLog(living, database_url, "living", shipper=QUICK, orphans_s=0.01)
    await log.start()
    for name in ("a", "b"):
        shutil.copytree(root / name, tmp_path / name)
        (tmp_path / name).rename(living / name)
    process = in_process("ship", str(root))
    _, err = await asyncio.to_thread(process.communicate, None, 120)
    assert process.returncode == 0, err
    await until(lambda: os.listdir(living) == ["living"])
    await log.close()
    await assert_exactly_once(database_url, told)


def test_a_folder_that_can_only_be_read(tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "wal"
    told = lost(root)
    before = content(root)
    command = [sys.executable, "-m", "cluster.cli", "wal", "ship", str(root), "--json"]
    if os.geteuid() == 0:  # whom no mode keeps from writing
        script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        command = ["unshare", "-m", "sh", "-c", script, str(root), *command]
        if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
            pytest.skip("mounts are not permitted here")
    else:
        for folder in (root / "a", root):
            folder.chmod(0o500)
    try:
        for again in (False, True):
            done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
            assert done.returncode == 0, done.stderr
            [shipped] = json.loads(done.stdout)["writers"]
            assert shipped["stays"] == "it cannot be written"
            assert shipped["repeated"] == (shipped["rows"] if again else 0)
            assert shipped["rows"] >= len(told)
    finally:
        for folder in (root, root / "a"):
            folder.chmod(0o700)
    assert content(root) == before
    check(database_url, told)


def test_keep_changes_nothing(tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "wal"
    told = lost(root)
    before = content(root)
    for again in (False, True):
        [shipped] = answer(capsys, "ship", str(root), "--keep")["writers"]
        assert shipped["stays"] == "as asked"
        assert shipped["repeated"] == (shipped["rows"] if again else 0)
        assert content(root) == before
    check(database_url, told)


def test_a_living_log_is_left_alone_and_the_dead_beside_it_shipped(tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "wal"
    told = lost(root)
    living = claim(root / "living", create=True)
    assert living is not None
    (root / "living" / str(SegmentName(1, SALT))).write_bytes(b"")
    assert "is in use" in refusal(capsys, "ship", str(root / "living"))
    assert "is in use" in refusal(capsys, "ship", str(root / "living"), "--keep")
    states = {w["writer"]: w["alive"] for w in answer(capsys, "list", str(root))["writers"]}
    assert states == {"a": False, "living": True}
    shipped = {w["writer"]: w for w in answer(capsys, "ship", str(root))["writers"]}
    assert shipped["living"]["alive"]
    assert not shipped["a"]["alive"]
    assert os.listdir(root) == ["living"]
    check(database_url, told)
    living.release()


def test_what_cannot_be_shipped_is_set_aside_once(home, tmp_path, database_url, capsys):
    good, ill = decision_records(6, "well-"), decision_records(1, "ill-")[0]
    poisoned = replace(ill, outcome="perhaps")
    payloads = [p for part in (good, [poisoned]) for b in gathered(part) for p in encode(b)]
    whole = [frame(p, SALT) for p in [*payloads, b"not an entry"]]
    folder = tmp_path / "disk" / "wal" / "a"
    folder.mkdir(parents=True)
    torn = frame(b"never answered", SALT)[:-3]
    damaged = bytearray(whole[0])
    damaged[20] ^= 1
    (folder / str(SegmentName(1, SALT))).write_bytes(bytes(damaged) + b"".join(whole))
    (folder / str(SegmentName(3, SALT))).write_bytes(whole[0] + torn)
    letters = home / "wal" / ASIDE
    for _ in range(2):
        report = answer(capsys, "ship", str(folder), "--keep", code=1)
        [writer] = report["writers"]
        assert report["set_aside_in"] == str(letters)
        assert (writer["set_aside"], writer["damaged_bytes"]) == (2, len(damaged))
        assert writer["torn_bytes"] == len(torn)
        assert len(segments(letters)) == 1, "the second time they are there already"
    report = answer(capsys, "ship", str(folder), code=1)
    assert not folder.exists()
    assert len(segments(letters)) == 1
    [moved] = letters.glob("*.damaged")
    assert moved.name == f"a-{SegmentName(1, SALT)}.damaged"
    check(database_url, [r.decision_id for r in good])
    capsys.readouterr()
    assert run(["wal", "list", str(home)]) == 0
    assert f"set aside earlier: 2 files in {letters}" in capsys.readouterr().out


def test_a_folder_that_cannot_be_read_does_not_keep_others_waiting(tmp_path, database_url, capsys):
    root = tmp_path / "disk" / "wal"
    told = lost(root, ("b",))
    (root / "a" / str(SegmentName(1, SALT))).mkdir(parents=True)  # a folder in a file's place
    report = answer(capsys, "ship", str(root), code=1)
    assert [writer["failed"] for writer in report["writers"]] == [True, False]
    assert "Is a directory" in report["writers"][0]["stays"]
    assert os.listdir(root) == ["a"]
    check(database_url, told)


def test_refusals(tmp_path, capsys, monkeypatch):
    (tmp_path / "other").mkdir()
    (tmp_path / "file").write_text("?")
    (tmp_path / "wal" / ASIDE).mkdir(parents=True)
    (tmp_path / "link").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "lock").touch()
    (tmp_path / "link" / "a").symlink_to(tmp_path / "elsewhere")
    for verb in ("ship", "list"):
        assert "no such folder" in refusal(capsys, verb, str(tmp_path / "missing"))
        assert "holds no decision log" in refusal(capsys, verb, str(tmp_path / "other"))
        assert "is a file" in refusal(capsys, verb, str(tmp_path / "file"))
        assert "holds dead letters" in refusal(capsys, verb, str(tmp_path / "wal" / ASIDE))
        assert "symbolic link" in refusal(capsys, verb, str(tmp_path / "link"))
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    said = refusal(capsys, "ship", str(tmp_path / "wal"))
    assert "belongs to uid" in said
    assert "uid 4321" in said


def test_without_postgres_nothing_is_lost(tmp_path, own_postgres, capsys, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", own_postgres.url)
    root = tmp_path / "disk" / "wal"
    told = lost(root)
    before = content(root)
    own_postgres.stop()
    refusal(capsys, "ship", str(root))
    assert content(root) == before
    # It goes away after the command has begun: the check at its start is passed.
    monkeypatch.setattr("cluster.home.connection.check_external", _nothing)
    assert "nothing is lost: 0 records were shipped" in refusal(capsys, "ship", str(root))
    own_postgres.start()
    [shipped] = answer(capsys, "ship", str(root))["writers"]
    assert shipped["rows"] >= len(told)
    check(own_postgres.url, told)


async def _nothing(*_: Any) -> None:
    pass
