"""Published migrations never change again, not even their comments.

`quorum migrate` compares the applied files with ours, and stops if they differ.
"""

from __future__ import annotations

import hashlib

from tests.contracts.root import ROOT

PUBLISHED = {
    "0001_core.pre.sql": "c82249d567bc5cc3",
    "0002_recorded_plans.pre.sql": "921046343c38fa0d",
    "0003_label_feed.pre.sql": "46c4f1e41983528e",
    "0005_decisions_storage.post.sql": "863f067681c85bb8",
    "0005_decisions_storage.pre.sql": "95d92d63bfe7308f",
    "0006_cheap_writes.post.sql": "2c3f292e5d35d4e6",
    "0006_cheap_writes.pre.sql": "ea7d5495c495e039",
    "0007_found_by_id.post.sql": "aa6291cc2e780232",
    "0009_decision_search.pre.sql": "ee9d1ff638763d7c",
    "0010_key_scopes.pre.sql": "e0649416917f698d",
    "0011_plans.pre.sql": "2d6e7328497f6cc7",
    "0012_shadow_decisions.pre.sql": "8999002943234655",
    "0013_cluster.pre.sql": "029b1b5122550662",
    "0014_key_changes.pre.sql": "b2af1612890a7110",
    "0015_references.pre.sql": "5baa804f8a83057c",
    "0016_jobs.pre.sql": "e61815ef93995522",
}
"""File -> the first 16 hex digits of its SHA-256. A new migration adds a line."""


def test_no_published_migration_has_changed():
    folder = ROOT / "cluster" / "schema" / "migrations"
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for p in folder.glob("*.sql")}
    assert found == PUBLISHED
