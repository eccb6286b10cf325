"""Several nodes fit one model: their workers keep checkpoints in a folder that all mount."""

from __future__ import annotations

import json
import sys

from tests.contracts.several_machines import SeveralMachines

DRIVER = """
import json, sys
import numpy as np
import ray
from settings.settings import Settings
from training.config import TrainConfig
from training.fit.variants import xgboost
from training.ray_runtime.session import ray_session
from training.run_storage import run_storage_of
from training.sets.sample import Sample

x = np.random.default_rng(1).normal(size=(6000, 6)).astype(np.float32)
y = (x[:, 0] > 1).astype(np.float32)
sample = Sample(x, y, np.ones(6000, np.float32), x, y, tuple("abcdef"), ())
config = TrainConfig.model_validate({"xgboost": {"rounds": 20, "workers": int(sys.argv[2])}})
told = sys.argv[3]

def after_round(_, losses):
    import socket
    with open(told, "a") as file:
        file.write(socket.gethostname() + "\\n")

with ray_session(sys.argv[1], 0):
    storage = run_storage_of(Settings.load(), sys.argv[1])
    model = xgboost.fit(
        ray.put(sample), config.xgboost, 1, storage, cpus=1.0, after_round=after_round
    )
print(json.dumps({"trees": model.parameters["trees"], "storage": storage.path}))
"""


def test_workers_of_several_nodes_fit_one_model(nodes: SeveralMachines) -> None:
    told, runs = nodes.hub.shared / "told", nodes.hub.shared / "runs"
    last = nodes.nodes[-1]
    done = last.run(
        [sys.executable, "-c", DRIVER, f"{nodes.head.address}:6379", "3", told],
        environment={"RAY_AUTH_MODE": "token", "QUORUM_TRAINING_RUNS": str(runs)},
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["storage"] == str(runs)
    assert result["trees"] >= 1
    assert len(set(told.read_text().split())) > 1, "all workers ran on one node"
    assert not list(runs.iterdir())
    nodes.settle()
