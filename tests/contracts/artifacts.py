"""Tiny artifacts: a logistic of one feature, as training would publish it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from fraud.variant import HOUSE
from models.artifact import Manifest, sha256_of, version_of, write_manifest
from models.store.alias import alias_file


def tiny_artifact(
    root: Path,
    variant: str = "xgboost",
    *,
    n_features: int,
    schema_id: str,
    slope: float = 1.0,
    work: int = 0,
    golden_shift: float = 0.0,
    knots: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 0.5)),
    training: dict[str, Any] | None = None,
    columns: tuple[str, ...] = (),
) -> tuple[str, str]:
    """Write an artifact whose raw score is logistic(slope * first feature), NaN read as 0.

    Args:
        root: folder of all artifacts.
        slope: differs between versions.
        work: matrix products of no effect, to make scoring slow.
        golden_shift: error of the golden rows' scores.
        knots: the calibration.
        training: the manifest's entry on the training.
        columns: of a tabular data set, in order.

    Returns:
        Version and digest.
    """
    folder = root / variant / "being-written"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(_graph(n_features, slope, work))
    features = np.random.default_rng(7).normal(size=(8, n_features)).astype(np.float32)
    features[0, :] = np.nan
    first = np.nan_to_num(features[:, 0])
    raw = 1 / (1 + np.exp(-slope * first.astype(np.float64)))
    scores = np.interp(raw, *zip(*knots, strict=True)) + golden_shift
    np.savez(folder / "golden.npz", features=features, scores=scores)
    files = {name: sha256_of(folder / name) for name in ("model.onnx", "golden.npz")}
    manifest = Manifest(
        variant,
        "supervised",
        "onnx",
        schema_id,
        n_features,
        knots,
        files,
        training=training or {},
        columns=columns,
    )
    digest = write_manifest(folder, manifest)
    version = version_of(digest)
    if (root / variant / version).exists():
        shutil.rmtree(folder)
    else:
        folder.rename(root / variant / version)
    return version, digest


def point_alias(
    root: Path,
    variant: str,
    version: str,
    digest: str,
    alias: str = "champion",
    owner: str = HOUSE,
) -> None:
    """Move an owner's alias atomically, as training does."""
    folder = (root / alias_file(variant, alias, owner)).parent
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{alias}.tmp"
    temporary.write_text(json.dumps({"version": version, "digest": digest}))
    os.replace(temporary, folder / f"{alias}.json")


def _graph(n_features: int, slope: float, work: int) -> bytes:
    node = helper.make_node
    nodes = [
        node("IsNaN", ["features"], ["absent"]),
        node("Where", ["absent", "zero", "features"], ["known"]),
        node("Gather", ["known", "first"], ["column"], axis=1),
        node("Mul", ["column", "slope"], ["scaled"]),
        node("Sigmoid", ["scaled"], ["probability"]),
    ]
    # A chain: equal products in parallel would be computed only once.
    nodes += [
        node("MatMul", [f"product{k - 1}" if k else "known", "square"], [f"product{k}"])
        for k in range(work)
    ]
    if work:
        nodes += [
            node("ReduceMean", [f"product{work - 1}"], ["mean"], axes=[1], keepdims=0),
            node("Mul", ["mean", "zero"], ["nothing"]),
            node("Add", ["probability", "nothing"], ["score"]),
        ]
    else:
        nodes.append(node("Identity", ["probability"], ["score"]))
    tensor = helper.make_tensor
    square = np.full(n_features * n_features if work else 1, 1e-3, dtype=np.float32)
    shape = [n_features, n_features] if work else [1]
    constants = [
        tensor("zero", TensorProto.FLOAT, [], [0.0]),
        tensor("slope", TensorProto.FLOAT, [], [slope]),
        tensor("first", TensorProto.INT64, [], [0]),
        tensor("square", TensorProto.FLOAT, shape, square),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", n_features])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"])],
        initializer=constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
