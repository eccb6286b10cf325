"""What crosses links, as values that are read and never run.

A message is MessagePack. It names each value's kind by a number, and the reader makes a value of
the type that it has for that number, or refuses it: there is no kind for code, for a class of the
sender's choice or for an object that Python would have to build by a call. Errors cross as a name
out of a fixed list and plain arguments.

Every value is checked against the annotations of its type as it is read. That costs no more than
pickle did for the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_origin

import msgspec
import numpy as np
from numpy.typing import NDArray

from fraud import errors
from fraud.decision import DecisionBatch
from fraud.explanation import Explanation
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.score import VariantScores

Plain = tuple[int, Any]
"""The number of a value's kind, and the value; a message holds it as an array of two."""

_ANYTHING, _TUPLE, _ARRAY = range(3)
_TYPES: dict[int, type] = {
    _ARRAY: np.ndarray,
    3: TransactionBatch,
    4: FeatureBatch,
    5: VariantScores,
    6: DecisionBatch,
    7: Explanation,
}
_KINDS = {kind: number for number, kind in _TYPES.items()}
_NUMBERS = "fiub"
"""What an array may be of, as `numpy.dtype.kind`: floats, integers, truth values."""


class Unreadable(Exception):
    """Bytes that are no message of ours, or a value that no kind is for."""


def plain(value: Any) -> Plain:
    """A value for a message; `whole` inverts it. Those of no kind of their own are None, truth
    values, numbers, texts and bytes, lists and dicts of those; and tuples of values."""
    if type(value) is tuple:
        return _TUPLE, [plain(item) for item in value]
    return _KINDS.get(type(value), _ANYTHING), value


def whole(kind: int, body: msgspec.Raw) -> Any:
    """The value that `plain` was given. Arrays may be read-only.

    Raises:
        Unreadable: there is no such kind, or the body is not of it.
    """
    try:
        if kind == _TUPLE:
            return tuple([whole(*item) for item in _VALUES.decode(body)])
        return _DECODERS[kind].decode(body)
    except KeyError:
        raise Unreadable(f"no kind {kind}") from None
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise Unreadable(f"no value of kind {kind}: {type(error).__name__}") from None


def encode(content: Any) -> bytes:
    """The bytes of a message's content.

    Raises:
        Unreadable: it holds what no kind is for.
    """
    try:
        return _ENCODER.encode(content)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unreadable(f"this cannot be sent: {error}") from None


def read_question(body: memoryview) -> tuple[str, Iterable[tuple[int, msgspec.Raw]]]:
    """The method that is asked for, and its arguments for `whole`.

    Raises:
        Unreadable: it is no question.
    """
    method, arguments = _read(_QUESTION, body)
    return method, arguments


def read_answer(body: memoryview) -> Any:
    """The value that was answered.

    Raises:
        Unreadable: it is no answer.
    """
    return whole(*_read(_ANSWER, body))


def error_out(error: Exception) -> tuple[str, Any]:
    """An error for a message; `read_error` inverts it. One that is not on the list crosses as the
    nearest of its parents that is, and without one as its name alone."""
    for kind in type(error).__mro__:
        name = kind.__name__
        if _ERRORS.get(name) is kind:
            return name, error.args
    return RuntimeError.__name__, (type(error).__name__,)


def read_error(body: memoryview) -> Exception:
    """The error that was sent.

    Raises:
        Unreadable: it is none.
    """
    name, arguments = _read(_ERROR, body)
    try:
        return _ERRORS[name](*[_frozen(argument) for argument in arguments])
    except Exception:  # another version's error, whose arguments are not ours
        raise Unreadable("an error that is not on the list") from None


def _read(decoder: msgspec.msgpack.Decoder[Any], body: memoryview) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"no message: {type(error).__name__}") from None


def _frozen(value: Any) -> Any:
    # An error's arguments are texts, numbers and tuples of them; a message knows no tuples.
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _out(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _NUMBERS:
            raise TypeError(f"an array of {value.dtype}")
        return value.dtype.str, value.shape, _bytes_of(value)
    if isinstance(value, np.generic):
        return value.item()
    # Never the value itself, which may be a payment's.
    raise TypeError(f"{type(value).__name__} {getattr(value, '__qualname__', '')}".rstrip())


def _bytes_of(array: NDArray[Any]) -> bytes | memoryview:
    if array.size and array.flags.c_contiguous and array.dtype.isnative:
        return array.data.cast("B") if array.ndim else array.tobytes()
    return array.tobytes()


def _in(wanted: Any, value: Any) -> Any:
    if (get_origin(wanted) or wanted) is not np.ndarray:
        raise TypeError(f"no {wanted}")
    name, shape, data = value
    dtype = np.dtype(str(name))
    if dtype.kind not in _NUMBERS:
        raise ValueError(f"an array of {dtype}")
    return np.frombuffer(data, dtype).reshape(shape)


def _listed() -> dict[str, Callable[..., Exception]]:
    house = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.QuorumError)
    ]
    builtin = [KeyError, IndexError, TypeError, ValueError, ArithmeticError, RuntimeError]
    builtin += [OSError, ConnectionError, PermissionError, TimeoutError, MemoryError]
    return {kind.__name__: kind for kind in [*house, *builtin]}


_ERRORS = _listed()
_ENCODER = msgspec.msgpack.Encoder(enc_hook=_out)
_DECODERS: dict[int, msgspec.msgpack.Decoder[Any]] = {
    number: msgspec.msgpack.Decoder(kind, dec_hook=_in)
    for number, kind in {_ANYTHING: Any, **_TYPES}.items()
}
_VALUES = msgspec.msgpack.Decoder(list[tuple[int, msgspec.Raw]])
_QUESTION = msgspec.msgpack.Decoder(tuple[str, list[tuple[int, msgspec.Raw]]])
_ANSWER = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
_ERROR = msgspec.msgpack.Decoder(tuple[str, list[Any]])
