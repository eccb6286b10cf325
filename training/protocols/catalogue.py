"""The protocols by name."""

from __future__ import annotations

from training.protocols.handbook import HANDBOOK
from training.protocols.protocol import EvaluationProtocol
from training.protocols.sparkov import SPARKOV
from training.protocols.ulb import ULB

PROTOCOLS: dict[str, EvaluationProtocol] = {p.name: p for p in (HANDBOOK, ULB, SPARKOV)}
