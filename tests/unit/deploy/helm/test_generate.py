"""The chart as it is generated: the same objects as kustomize's."""

from __future__ import annotations

import pytest

from tests.contracts.kubernetes.manifests import CHART, Objects, templated
from tests.contracts.kubernetes.sources import script
from tests.contracts.kubernetes.tools import tool

module = script("deploy/helm/generate.py")


def built(*components: str) -> Objects:
    found: Objects = module.build(tool("kubectl"), *components)
    return found


def on(*switches: str) -> list[str]:
    return [part for name in switches for part in ("--set", f"{name}.enabled=true")]


def test_the_chart_is_current() -> None:
    files = module.generate(tool("kubectl"))
    for name, text in files.items():
        assert (CHART / name).read_text() == text, f"{name}: run `make manifests`"
    made = {f"templates/{path.name}" for path in (CHART / "templates").glob("*.yaml")}
    assert made == {name for name in files if name.startswith("templates/")}


@pytest.mark.parametrize(
    ("switches", "components"),
    [
        ((), ()),
        (("stores",), ("stores",)),
        (("artifactsVolume",), ("artifacts-volume",)),
        (("monitoring",), ("monitoring",)),
        (
            ("stores", "artifactsVolume", "monitoring"),
            ("stores", "artifacts-volume", "monitoring"),
        ),
    ],
)
def test_its_objects_are_those_of_kustomize(
    switches: tuple[str, ...], components: tuple[str, ...]
) -> None:
    assert templated(*on(*switches)) == built(*components)


def test_lines_of_components_stand_between_if_and_end() -> None:
    one, other = module.Switch("one.enabled", "."), module.Switch("other.enabled", ".")
    added, replaced = ["a", "new", "b", "c"], ["a", "b", "d"]
    assert module.merged(["a", "b", "c"], [(one, added), (other, replaced)]) == [
        *("a", "{{- if .Values.one.enabled }}", "new", "{{- end }}", "b"),
        *("{{- if .Values.other.enabled }}", "d", "{{- else }}", "c", "{{- end }}"),
    ]


def test_two_components_that_change_the_same_line_are_refused() -> None:
    switches = [module.Switch(name, ".") for name in ("one", "other")]
    with pytest.raises(SystemExit, match="two components change the same line: b"):
        module.merged(["a", "b"], [(switch, ["a", switch.name]) for switch in switches])
