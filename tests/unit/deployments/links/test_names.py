"""Names of pools and replicas."""

from __future__ import annotations

from pathlib import Path

from deployments.links.names import LONGEST_NAME, pool_name, pool_of, replica_name, socket_path


def test_long_names_are_cut_and_stay_different():
    usual = "variant-isolation-forest.V2fd6da9b13f3"
    assert pool_name(usual, "Variant") == f"{usual}~Variant"
    long = f"variant-{'x' * 64}.V2fd6da9b13f3.T{'t' * 63}"
    names = {pool_name(f"{long}{end}", "Variant") for end in "ab"}
    assert len(names) == 2
    assert all(len(name) == LONGEST_NAME and "~" not in name for name in names)
    folder = Path("/tmp/quorum-0123abcd/links")
    # 104 bytes with the final zero, on the strictest system.
    assert len(str(socket_path(folder, replica_name(long, "Variant", "abcd1234")))) < 104


def test_the_name_of_a_replica_tells_its_pool():
    assert pool_of(replica_name("app", "Pool", "a1b2")) == pool_name("app", "Pool")
