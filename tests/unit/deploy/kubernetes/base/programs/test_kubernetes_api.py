"""The programs' client of the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.kubernetes.api_server import ApiServer, api_server
from tests.contracts.kubernetes.programs import client, program

module = program("kubernetes_api")
FOLDER = "/api/v1/namespaces/here/configmaps"
ONE = f"{FOLDER}/one"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with api_server(tmp_path / "account", "here") as made:
        made.put(FOLDER, {"metadata": {"name": "one", "labels": {"a": "b"}}, "data": {"x": "1"}})
        yield made


@pytest.fixture
def api(server: ApiServer, tmp_path: Path) -> Any:
    return client(server.url, tmp_path / "account")


def test_the_account_tells_the_namespace(api: Any) -> None:
    assert api.namespace == "here"


def test_objects_are_read_alone_and_by_label(api: Any, server: ApiServer) -> None:
    assert api.get(ONE)["data"] == {"x": "1"}
    server.put(FOLDER, {"metadata": {"name": "two"}})
    assert len(api.get(FOLDER)["items"]) == 2
    [found] = api.get(FOLDER, labelSelector="a=b")["items"]
    assert found["metadata"]["name"] == "one"


def test_an_object_is_created_once(api: Any, server: ApiServer) -> None:
    api.create(FOLDER, {"metadata": {"name": "new"}})
    assert f"{FOLDER}/new" in server.objects
    with pytest.raises(module.Refused, match="409: already exists") as refused:
        api.create(FOLDER, {"metadata": {"name": "new"}})
    assert refused.value.status == 409


def test_both_kinds_of_patches_change_an_object(api: Any) -> None:
    assert api.patch(ONE, {"data": {"y": "2"}})["data"] == {"x": "1", "y": "2"}
    operation = {"op": "replace", "path": "/data/y", "value": "3"}
    assert api.patch(ONE, [operation], module.JSON_PATCH)["data"] == {"x": "1", "y": "3"}


def test_what_is_gone_already_is_deleted_without_an_error(api: Any, server: ApiServer) -> None:
    api.delete(ONE)
    assert ONE not in server.objects
    api.delete(ONE)
    server.allows = lambda method, path: method == "GET"
    with pytest.raises(module.Refused, match="403: the account may not DELETE"):
        api.delete(ONE)


def test_the_token_is_read_for_each_request(api: Any, tmp_path: Path) -> None:
    token = tmp_path / "account" / "token"
    valid = token.read_text()
    token.write_text("another")
    with pytest.raises(module.Refused, match="401"):
        api.get(ONE)
    token.write_text(f"{valid}\n")
    assert api.get(ONE)["data"] == {"x": "1"}


def test_a_server_that_is_away_is_an_oserror(tmp_path: Path) -> None:
    with api_server(tmp_path / "other", "here") as server:
        api = client(server.url, tmp_path / "other")
    with pytest.raises(OSError):  # noqa: PT011 - whichever way the connection fails
        api.get(ONE)


@pytest.mark.parametrize(
    ("host", "url"), [("10.0.0.1", "https://10.0.0.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_the_pods_own_api_has_the_address_that_kubernetes_gives(
    host: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Found(module.KubernetesApi):  # type: ignore[name-defined,misc]
        def __init__(self, url: str) -> None:
            made.append(url)

    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    Found.of_this_pod()
    assert made == [url]
