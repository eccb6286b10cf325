"""The frame of every ONNX graph: one input `features`, one output `score`."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto, TensorProto, checker, helper

INPUT, OUTPUT = "features", "score"
# Pinned, so that a newer onnx package does not change the digest of an equal model.
_OPSET, _ML_OPSET, _IR_VERSION = 17, 3, 8


def model_bytes(
    nodes: Sequence[NodeProto], n_features: int, constants: Sequence[TensorProto] = ()
) -> bytes:
    """Serialise nodes that lead from `features` float32[n, n_features] to `score` float32[n].

    Equal nodes give equal bytes.
    """
    graph = helper.make_graph(
        list(nodes),
        "quorum",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", n_features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n"])],
        initializer=list(constants),
    )
    model = helper.make_model(
        graph,
        producer_name="quorum",
        opset_imports=[
            helper.make_opsetid("", _OPSET),
            helper.make_opsetid("ai.onnx.ml", _ML_OPSET),
        ],
        ir_version=_IR_VERSION,
    )
    checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def probability_nodes(margin: str) -> list[NodeProto]:
    """Logistic of a column of log-odds, as `score`.

    Written out instead of `Sigmoid`, whose approximation in ONNX Runtime loses the relative
    precision of small probabilities, and most payments have one.
    """
    return [
        helper.make_node("Constant", [], ["unit"], value_float=1.0),
        helper.make_node("Constant", [], ["column"], value_ints=[-1]),
        helper.make_node("Neg", [margin], ["negated"]),
        helper.make_node("Exp", ["negated"], ["odds_against"]),
        helper.make_node("Add", ["odds_against", "unit"], ["total_odds"]),
        helper.make_node("Reciprocal", ["total_odds"], ["probability"]),
        helper.make_node("Reshape", ["probability", "column"], [OUTPUT]),
    ]
