"""secrets.sh makes what is missing, once, and only its user reaches it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from settings.secret_files import secrets_from_files
from settings.settings import Settings
from tests.contracts.compose import FOLDER, make_secrets, rendered, services


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_it_makes_every_secret_of_the_compose_file(secrets: Path) -> None:
    assert set(contents(secrets)) - {"redis_password"} == set(rendered()["secrets"])
    assert all(contents(secrets).values())


def test_no_two_secrets_are_alike(secrets: Path, tmp_path: Path) -> None:
    assert make_secrets(tmp_path / "others").returncode == 0
    ours, others = contents(secrets), contents(tmp_path / "others")
    assert len({*ours.values(), *others.values()}) == len(ours) + len(others)


def test_only_its_user_can_enter_the_folder(secrets: Path) -> None:
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    # Containers whose users are others read them: Docker mounts the files as they are.
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o444}


def test_a_second_run_changes_nothing(secrets: Path) -> None:
    before = contents(secrets)
    again = make_secrets(secrets, "another.example")
    assert (again.returncode, again.stdout) == (0, "")
    assert contents(secrets) == before


def test_what_was_lost_is_made_anew_and_the_rest_stays(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "edge_certificate").unlink()
    (tmp_path / "quorum_key_pepper.new").write_text("cut off")
    again = make_secrets(tmp_path, "pay.example.org")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines() == [f"made {tmp_path}/edge_certificate"]
    after = contents(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"edge_certificate"}


@pytest.mark.parametrize(
    ("host", "kind", "name"),
    [
        ("pay.example.org", x509.DNSName, "pay.example.org"),
        ("192.0.2.7", x509.IPAddress, "192.0.2.7"),
    ],
)
def test_the_certificate_is_for_the_host(tmp_path: Path, host: str, kind: type, name: str) -> None:
    make_secrets(tmp_path, host)
    certificate = x509.load_pem_x509_certificate((tmp_path / "edge_certificate").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(found.value) for found in names] == [name]
    assert isinstance(next(iter(names)), kind)


@pytest.mark.parametrize("host", ["a b", "/etc", "-subj;x", "ex/CN=y", ""])
def test_a_wrong_host_is_refused_before_anything_is_made(tmp_path: Path, host: str) -> None:
    done = make_secrets(tmp_path / "s", host)
    if host == "":
        assert done.returncode == 0  # as if it were not given
        return
    assert done.returncode == 2
    assert done.stderr.startswith("error: HOST: expected ")
    assert not (tmp_path / "s").exists()


def test_without_openssl_it_says_so(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dirname", "mkdir", "chmod", "cat"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        ["/bin/sh", str(FOLDER / "secrets.sh")],
        env={"PATH": str(programs), "QUORUM_SECRETS": str(tmp_path / "s")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == "error: openssl is missing: install it\n"


def test_quorum_reads_them(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("QUORUM_", "DATABASE_", "REDIS_")):
            monkeypatch.delenv(name)
    for variable, value in services()["quorum"]["environment"].items():
        monkeypatch.setenv(variable, value.replace("/run/secrets", str(secrets)))
    assert set(secrets_from_files()) == {"DATABASE_URL", "REDIS_URL", "QUORUM_KEY_PEPPER"}
    settings = Settings.load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@postgres:5432/quorum")
    assert settings.tracking_uri == "http://mlflow:5000"


def test_redis_learns_the_hash_alone(secrets: Path) -> None:
    password = (secrets / "redis_password").read_text().strip()
    users = (secrets / "redis_users").read_text()
    assert password not in users
    assert f"#{hashlib.sha256(password.encode()).hexdigest()} " in users
