"""The values of the chart: names, places and schemas."""

from __future__ import annotations

from jsonschema import Draft7Validator

from tests.contracts.kubernetes.manifests import rendered
from tests.contracts.kubernetes.sources import script

module = script("deploy/helm/chart_values.py")


def test_names_are_there_once() -> None:
    names = [value.name for value in (*module.VALUES, *module.SWITCHES)]
    assert len(names) == len(set(names))


def test_each_value_stands_somewhere_and_has_a_schema() -> None:
    for value in module.VALUES:
        assert value.places or (value.everywhere and value.default is not None), value.name
        Draft7Validator.check_schema(value.schema)
        if value.default is not None:
            Draft7Validator(value.schema).validate(value.default)


def test_every_setting_of_the_base_has_a_value_or_is_fixed() -> None:
    fixed = module._FIXED
    data = rendered("base")["ConfigMap/quorum-config"]["data"]
    assert {name for name in data if name.startswith("QUORUM_")} == set(fixed)
