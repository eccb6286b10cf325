"""The configuration that containers of the image test run under."""

from __future__ import annotations

from pathlib import Path

from deploy.image.container import USER, Limits, bundle

IMAGE = {"Env": ["A=1"], "Entrypoint": ["quorum"], "WorkingDir": "/opt"}


def test_it_runs_as_the_images_user_without_rights_and_with_a_read_only_root() -> None:
    config = bundle(IMAGE, "/root-of-image", Path("/home-of-it"), ("up",), Limits())
    process = config["process"]
    assert process["args"] == ["quorum", "up"]
    assert process["user"] == {"uid": USER, "gid": USER}
    assert not any(process["capabilities"].values())
    assert process["noNewPrivileges"]
    assert config["root"] == {"path": "/root-of-image", "readonly": True}
    writable = [m["destination"] for m in config["mounts"] if "ro" not in m["options"]]
    assert {"/var/lib/quorum", "/tmp", "/dev/shm"} <= set(writable)
    assert "/" not in writable
    kinds = {namespace["type"] for namespace in config["linux"]["namespaces"]}
    assert {"pid", "mount", "network"} <= kinds


def test_limits_are_given() -> None:
    limits = Limits(shared_memory="64m", open_files=(5, 6), user=0)
    config = bundle(IMAGE, "/r", Path("/h"), (), limits)
    assert config["process"]["user"]["uid"] == 0
    assert config["process"]["rlimits"] == [{"type": "RLIMIT_NOFILE", "soft": 5, "hard": 6}]
    (shared,) = [m for m in config["mounts"] if m["destination"] == "/dev/shm"]
    assert "size=64m" in shared["options"]
