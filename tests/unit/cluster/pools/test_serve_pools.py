"""New pools in a Serve configuration."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.errors import CommandFailed
from cluster.pools.declared import Declaration
from cluster.pools.serve_pools import pools_of, with_pools
from deployments.app_names import app_name

OURS: dict[str, Any] = yaml.safe_load(Path("serve_config.yaml").read_text())
FOUR = ("xgboost", "random-forest", "logistic", "isolation-forest")


def made(name: str, config: dict[str, Any] = OURS, **sizes: Any) -> dict[str, Any]:
    """The application of one new pool."""
    found: dict[str, Any] = with_pools(config, [Declaration(name=name, **sizes)])["applications"][
        -1
    ]
    return found


def deployment(application: dict[str, Any]) -> dict[str, Any]:
    [only] = application["deployments"]
    found: dict[str, Any] = only
    return found


def xgboost(config: dict[str, Any]) -> dict[str, Any]:
    """The application of the house's pool of this variant."""
    found: dict[str, Any]
    (found,) = (a for a in config["applications"] if a["name"] == "variant-xgboost")
    return found


def test_the_pools_of_the_house() -> None:
    assert pools_of(OURS) == FOUR


def test_what_was_there_is_unchanged_and_comes_first() -> None:
    before = copy.deepcopy(OURS)
    names = ["acme/xgboost", "xgboost@2fd6da9b13f3"]
    wide = with_pools(OURS, [Declaration(name=n, num_cpus=3, max_replicas=9) for n in names])
    assert before == OURS
    assert wide["applications"][: len(OURS["applications"])] == OURS["applications"]
    assert {k: v for k, v in wide.items() if k != "applications"} == {
        k: v for k, v in OURS.items() if k != "applications"
    }
    assert pools_of(wide) == (*FOUR, *names)
    # Serve redeploys what differs: the same declarations give the same configuration.
    assert wide == with_pools(
        OURS, [Declaration(name=n, num_cpus=3, max_replicas=9) for n in names]
    )


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("lightgbm", {"variant": "lightgbm", "artifact": "champion"}),
        ("xgboost@2fd6da9b13f3", {"variant": "xgboost", "artifact": "2fd6da9b13f3"}),
        ("acme/xgboost", {"variant": "xgboost", "artifact": "champion", "owner": "acme"}),
    ],
)
def test_a_pool_serves_what_its_name_says(name: str, args: dict[str, str]) -> None:
    application = made(name)
    assert application["name"] == app_name(name)
    assert application["args"] == args
    assert application["route_prefix"] is None
    assert application["import_path"] == "deployments.variant:build"


def test_a_new_pool_has_the_options_of_its_variants_pool() -> None:
    config = copy.deepcopy(OURS)
    for application in config["applications"]:
        if application["name"] == "variant-logistic":
            application["deployments"] = [{**deployment(application), "max_ongoing_requests": 7}]
    assert deployment(made("acme/logistic", config))["max_ongoing_requests"] == 7
    assert deployment(made("acme/xgboost", config)) == deployment(xgboost(OURS))


def test_declared_sizes_replace_those_of_the_pattern() -> None:
    scaling = deployment(made("a", min_replicas=6))["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (6, 1000)
    scaling = deployment(made("a", max_replicas=1))["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"]) == (1, 1)
    assert scaling["policy"] == deployment(xgboost(OURS))["autoscaling_config"]["policy"]
    assert deployment(made("a", num_cpus=2))["ray_actor_options"] == {"num_cpus": 2}


def test_a_pool_of_fixed_size_gets_another_fixed_size() -> None:
    config = copy.deepcopy(OURS)
    xgboost(config)["deployments"] = [{"name": "Variant", "num_replicas": 2}]
    assert deployment(made("acme/xgboost", config))["num_replicas"] == 2
    assert deployment(made("acme/xgboost", config, min_replicas=3)) == {
        "name": "Variant",
        "num_replicas": 3,
    }


def test_without_any_pool_there_is_no_pattern() -> None:
    with pytest.raises(CommandFailed, match="no pool"):
        with_pools({"applications": [{"name": "decisions"}]}, [Declaration(name="a")])
