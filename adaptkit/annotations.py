"""Whether a value is what an annotation says, and what would be, in words."""

import inspect
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Integral, Real
from operator import is_
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

_PLAIN = {
    int: "an integer",
    float: "a number",
    str: "a text",
    bool: "True or False",
    NoneType: "None",
    os.PathLike: "a path",
}


class Unfit(ValueError):
    """A value that an annotation does not have; the message is what would be right."""


def fitted(kind: Any, value: object) -> object:  # noqa: ANN401 - types are values here
    """The value as an annotation has it: a list where a tuple is meant is one, and numbers of NumPy are plain ones.

    Of a protocol it is not known what has it: everything passes.

    Raises:
        Unfit: Another value.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _of_union(kind, arguments, value)
    if origin is Literal:
        return _require(any(type(value) is type(each) and value == each for each in arguments), kind, value)
    if origin is tuple:
        return _of_tuple(kind, arguments, value)
    if origin is not None and issubclass(origin, Mapping):
        return _of_mapping(kind, arguments, value)
    return _of_class(origin or kind, value)


def from_text(kind: Any, text: str) -> object:  # noqa: ANN401
    """What a word of a shell means to an annotation, where None is what is left out.

    Raises:
        Unfit: It means nothing there.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _any_from_text([each for each in arguments if each is not NoneType], text)
    if origin is Literal and text in map(str, arguments):
        return next(each for each in arguments if str(each) == text)
    try:
        return kind(text) if kind in (int, float) else fitted(kind, text)
    except ValueError as error:
        raise Unfit(in_words(kind)) from error


def _any_from_text(kinds: Sequence[Any], text: str) -> object:
    for each in kinds:
        with suppress(Unfit):
            return from_text(each, text)
    raise Unfit(_listed([in_words(each) for each in kinds]))


def part_of(kind: Any) -> Any:  # noqa: ANN401
    """Of what a tuple of any length is, alone or where None may stand for it; None where it is no such tuple."""
    tuples = [each for each in (kind, *get_args(kind)) if _is_tuple(each) and get_args(each)[-1] is ...]
    return get_args(tuples[0])[0] if tuples else None


def in_words(kind: Any) -> str:  # noqa: ANN401
    """What an annotation allows, as a message has it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        # A tuple's parts come last, where nothing can be taken for one of them.
        return _listed([words for each in sorted(arguments, key=_is_tuple) for words in _alternatives(each)])
    if origin is Literal:
        return _listed([str(each) for each in arguments])
    if origin is tuple and arguments[-1] is ...:
        return f"a tuple, each part of it {in_words(arguments[0])}"
    if origin is tuple:
        return f"a tuple of {len(arguments)}: {', '.join(map(in_words, arguments))}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a mapping from {' to '.join(map(in_words, arguments))}"
    return _PLAIN.get(origin or kind, getattr(kind, "__name__", str(kind)))


def _alternatives(kind: Any) -> list[str]:  # noqa: ANN401
    return [str(each) for each in get_args(kind)] if get_origin(kind) is Literal else [in_words(kind)]


def _is_tuple(kind: Any) -> bool:  # noqa: ANN401
    return get_origin(kind) is tuple


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _require(holds: bool, kind: Any, value: object) -> object:  # noqa: ANN401
    if not holds:
        raise Unfit(in_words(kind))
    return value


def _of_union(kind: Any, arguments: tuple[Any, ...], value: object) -> object:  # noqa: ANN401
    for each in arguments:
        with suppress(Unfit):
            return fitted(each, value)
    raise Unfit(in_words(kind))


def _of_tuple(kind: Any, arguments: tuple[Any, ...], value: object) -> object:  # noqa: ANN401
    _require(isinstance(value, list | tuple), kind, value)
    parts: list[object] = list(value)  # type: ignore[call-overload]
    kinds = arguments[:1] * len(parts) if arguments[-1] is ... else arguments
    _require(len(kinds) == len(parts), kind, value)
    try:
        found = tuple(fitted(each, part) for each, part in zip(kinds, parts, strict=True))
    except Unfit as error:
        raise Unfit(in_words(kind)) from error
    # What is right already stays the very same value.
    return value if isinstance(value, tuple) and all(map(is_, value, found)) else found


def _of_mapping(kind: Any, arguments: tuple[Any, ...], value: object) -> object:  # noqa: ANN401
    if not isinstance(value, Mapping):
        raise Unfit(in_words(kind))
    try:
        for key, part in value.items():
            fitted(arguments[0], key), fitted(arguments[1], part)
    except Unfit as error:
        raise Unfit(in_words(kind)) from error
    return value


def _of_class(kind: Any, value: object) -> object:  # noqa: ANN401
    if isinstance(value, bool):
        return _require(kind in (bool, object, Any), kind, value)
    if kind in (int, float) and isinstance(value, Integral):
        return int(value)
    if kind is float and isinstance(value, Real):
        return float(value)
    if kind is Any or not inspect.isclass(kind) or getattr(kind, "_is_protocol", False):
        return value
    return _require(isinstance(value, kind), kind, value)
