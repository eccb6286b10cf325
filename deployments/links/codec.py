"""Values on links, as bytes that cannot run code.

A message is MessagePack. Each value has a number for its kind, and the reader makes a value of the
type with that number, or refuses it. No kind stands for code, for a class of the sender's choice,
or for an object that Python would have to call something to build. Errors are sent as a
name from a fixed list and plain arguments.

Every value is checked against the annotations of its type when it is read. That costs no more than
pickle for the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_origin

import msgspec
import numpy as np
from numpy.typing import NDArray

from deployments.readiness import Readiness
from fraud import errors
from fraud.decision import Decisions
from fraud.explanation import Explanation
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.score import VariantScores

Tagged = tuple[int, Any]
"""The number of a value's kind, and the value. A message holds it as an array of two."""

_ANYTHING, _TUPLE, _ARRAY = range(3)
_TYPES: dict[int, type] = {
    _ARRAY: np.ndarray,
    3: TransactionBatch,
    4: FeatureBatch,
    5: VariantScores,
    6: Decisions,
    7: Explanation,
    8: Readiness,
}
_KINDS = {kind: number for number, kind in _TYPES.items()}
_NUMBERS = "fiub"
"""Kinds of array elements (`numpy.dtype.kind`): floats, integers, booleans."""


class Unreadable(Exception):
    """The bytes are not a message of Quorum, or a value is of no known kind."""


def tagged(value: Any) -> Tagged:
    """Return a value for a message; `untagged` inverts it.

    Values without a kind of their own are None, booleans, numbers, texts, bytes, lists and dicts of
    those, and tuples of values."""
    if type(value) is tuple:
        return _TUPLE, [tagged(item) for item in value]
    return _KINDS.get(type(value), _ANYTHING), value


def untagged(kind: int, body: msgspec.Raw) -> Any:
    """Return the value that `tagged` was given. Arrays may be read-only.

    Raises:
        Unreadable: the kind is unknown, or the body is not of that kind.
    """
    try:
        if kind == _TUPLE:
            return tuple([untagged(*item) for item in _VALUES.decode(body)])
        return _DECODERS[kind].decode(body)
    except KeyError:
        raise Unreadable(f"unknown kind {kind}") from None
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise Unreadable(f"not a value of kind {kind}: {type(error).__name__}") from None


def encode(content: Any) -> bytes:
    """Return the content of a message as bytes.

    Raises:
        Unreadable: it holds a value of no known kind.
    """
    try:
        return _ENCODER.encode(content)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unreadable(f"this cannot be sent: {error}") from None


def read_call(body: memoryview) -> tuple[str, Iterable[tuple[int, msgspec.Raw]]]:
    """Return the name of the method that is called, and its arguments for `untagged`.

    Raises:
        Unreadable: it is not a call.
    """
    method, arguments = _read(_CALL, body)
    return method, arguments


def read_result(body: memoryview) -> Any:
    """Return the value that was returned.

    Raises:
        Unreadable: it is not a result.
    """
    return untagged(*_read(_RESULT, body))


def error_value(error: Exception) -> tuple[str, Any]:
    """Return an error for a message; `read_error` inverts it. One that is not on the list is sent
    as its nearest base class on the list, or else by its name alone."""
    for kind in type(error).__mro__:
        name = kind.__name__
        if _ERRORS.get(name) is kind:
            return name, error.args
    return RuntimeError.__name__, (type(error).__name__,)


def read_error(body: memoryview) -> Exception:
    """Return the error that was sent.

    Raises:
        Unreadable: it is not an error on the list.
    """
    name, arguments = _read(_ERROR, body)
    try:
        return _ERRORS[name](*[_frozen(argument) for argument in arguments])
    except Exception:  # sent by another version, with other arguments
        raise Unreadable("an error that is not on the list") from None


def _read(decoder: msgspec.msgpack.Decoder[Any], body: memoryview) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"not a message: {type(error).__name__}") from None


def _frozen(value: Any) -> Any:
    # Arguments of errors are texts, numbers and tuples of them; MessagePack has no tuples.
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _encode_array(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _NUMBERS:
            raise TypeError(f"an array of {value.dtype}")
        return value.dtype.str, value.shape, _bytes_of(value)
    if isinstance(value, np.generic):
        return value.item()
    # Without the value, which may be of a payment.
    raise TypeError(f"{type(value).__name__} {getattr(value, '__qualname__', '')}".rstrip())


def _bytes_of(array: NDArray[Any]) -> bytes | memoryview:
    if array.size and array.flags.c_contiguous and array.dtype.isnative:
        return array.data.cast("B") if array.ndim else array.tobytes()
    return array.tobytes()


def _decode_array(wanted: Any, value: Any) -> Any:
    if (get_origin(wanted) or wanted) is not np.ndarray:
        raise TypeError(f"no {wanted}")
    name, shape, data = value
    dtype = np.dtype(str(name))
    if dtype.kind not in _NUMBERS:
        raise ValueError(f"an array of {dtype}")
    return np.frombuffer(data, dtype).reshape(shape)


def _sendable_errors() -> dict[str, Callable[..., Exception]]:
    ours = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.QuorumError)
    ]
    builtin = [KeyError, IndexError, TypeError, ValueError, ArithmeticError, RuntimeError]
    builtin += [OSError, ConnectionError, PermissionError, TimeoutError, MemoryError]
    return {kind.__name__: kind for kind in [*ours, *builtin]}


_ERRORS = _sendable_errors()
_ENCODER = msgspec.msgpack.Encoder(enc_hook=_encode_array)
_DECODERS: dict[int, msgspec.msgpack.Decoder[Any]] = {
    number: msgspec.msgpack.Decoder(kind, dec_hook=_decode_array)
    for number, kind in {_ANYTHING: Any, **_TYPES}.items()
}
_VALUES = msgspec.msgpack.Decoder(list[tuple[int, msgspec.Raw]])
_CALL = msgspec.msgpack.Decoder(tuple[str, list[tuple[int, msgspec.Raw]]])
_RESULT = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_ERROR = msgspec.msgpack.Decoder(tuple[str, list[Any]])
