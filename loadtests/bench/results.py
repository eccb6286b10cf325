"""The results of a benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from loadtests.bench.agreement import Agreement
from loadtests.bench.growth import Growth
from loadtests.bench.medians import Median
from loadtests.bench.rounds import Run
from loadtests.bench.targets import Target
from loadtests.memory import RoleMemory


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured.

    Attributes:
        about: the conditions of the measurement.
        targets: the goals, and whether they were reached.
        medians, runs: figures over the rounds, and of each round.
        agreements: of each other app with Quorum.
        memory_mib: app -> memory of all its processes, without stores.
        idle_cores: app -> cores that it uses when idle, with stores.
        roles: memory of Quorum's processes and stores.
        growth: memory before and after many decisions; () if not requested.
    """

    about: Mapping[str, str]
    targets: Sequence[Target]
    medians: Sequence[Median]
    runs: Sequence[Run]
    agreements: Sequence[Agreement]
    memory_mib: Mapping[str, float]
    idle_cores: Mapping[str, float]
    roles: Sequence[RoleMemory]
    growth: Sequence[Growth] = ()

    def document(self) -> dict[str, Any]:
        """Return the results for JSON, with null for NaN."""
        document = asdict(self)
        document["targets"] = [
            asdict(target) | {"result": target.result} for target in self.targets
        ]
        return dict(_finite(document))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and value != value else value
