"""The two pages: complete, and nothing on them needs what their policies forbid."""

from __future__ import annotations

import re

import pytest

from serve_app.http.reference.openapi import document
from serve_app.http.reference.page import GUIDE_POLICY, VIEWER_POLICY, guide_page, viewer_page
from serve_app.http.services import RequestLimits

GUIDE = guide_page(document(), RequestLimits())
VIEWER = viewer_page(document())


def test_the_guide_has_every_path_and_its_links_lead_somewhere() -> None:
    for path in document()["paths"]:
        assert path in GUIDE
    anchors = set(re.findall(r'href="#([^"]+)"', GUIDE))
    assert anchors <= set(re.findall(r'id="([^"]+)"', GUIDE))


def test_the_guide_links_to_operations_as_the_viewer_names_them() -> None:
    operations = {
        f"/docs/api#/{tag}/{operation['operationId']}"
        for methods in document()["paths"].values()
        for operation in methods.values()
        for tag in operation["tags"]
    }
    assert set(re.findall(r'href="(/docs/api#[^"]+)"', GUIDE)) == operations


def test_the_guide_has_no_script() -> None:
    assert "<script" not in GUIDE
    assert "script-src" not in GUIDE_POLICY


@pytest.mark.parametrize("page", [GUIDE, VIEWER])
def test_pages_have_nothing_inline_and_nothing_from_elsewhere(page: str) -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|@import|url\(", page)
    assert len(re.findall(r"<script src=[^>]*></script>", page)) == page.count("<script")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert all(re.match(r"#|/(?!/)", address) for address in addresses)


@pytest.mark.parametrize("policy", [GUIDE_POLICY, VIEWER_POLICY])
def test_policies_are_strict(policy: str) -> None:
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    for rule in ("style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy.split("; ")


def test_the_document_has_the_examples_that_the_viewer_brings_up_to_date() -> None:
    paths = document()["paths"]
    payment, label = (
        paths[path]["post"]["requestBody"]["content"]["application/json"]["example"]
        for path in ("/v1/decisions", "/v1/labels")
    )
    assert {"transaction_id", "timestamp"} <= payment.keys()
    assert {"transaction_id", "known_at"} <= label.keys()
