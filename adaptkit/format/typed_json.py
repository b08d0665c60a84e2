"""Frozen dataclasses to JSON and back, strictly: exact fields, exact types, nothing guessed.

A field that later versions of a format have is declared with `since(version, default)`. Files of older versions are
written and read without it.
"""

import dataclasses
import reprlib
import sys
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from adaptkit.errors import AdaptkitError
from adaptkit.format.spec import MAX_INTEGER

Typed = TypeVar("Typed")
LATEST = sys.maxsize
"""A version above all that there are."""
_SINCE = "since"


class MistypedJson(AdaptkitError):
    """A value that does not fit its field. Caught and told with its file by the reader of that file."""


def since(version: int, default: Any) -> Any:  # noqa: ANN401 - a dataclass field
    """A field that a format has from this version on, with what it is in older ones."""
    return dataclasses.field(default=default, metadata={_SINCE: version})


def encode(whole: object, version: int = LATEST) -> Any:  # noqa: ANN401 - JSON
    """A value as what `json.dumps` takes, with the fields that a version of its format has."""
    if dataclasses.is_dataclass(whole) and not isinstance(whole, type):
        return {name: encode(getattr(whole, name), version) for name in _fields(type(whole), version)}
    if isinstance(whole, Mapping):
        return {str(key): encode(value, version) for key, value in whole.items()}
    if isinstance(whole, list | tuple):
        return [encode(item, version) for item in whole]
    return whole


def needed_version(whole: object) -> int:
    """The oldest version of its format that can hold all that a value says; 1 where nothing in it has a version."""
    if isinstance(whole, list | tuple):
        return max(map(needed_version, whole), default=1)
    if not dataclasses.is_dataclass(whole) or isinstance(whole, type):
        return 1
    versions = [1]
    for field in dataclasses.fields(whole):
        value = getattr(whole, field.name)
        if _SINCE in field.metadata and value != field.default:
            versions.append(field.metadata[_SINCE])
        versions.append(needed_version(value))
    return max(versions)


def decode(kind: type[Typed], value: object, where: str = "", *, version: int = LATEST) -> Typed:
    """Build `kind` from parsed JSON that was written in a version of its format.

    Raises:
        MistypedJson: A missing or unknown field, a value of another type, a number that is not finite.
    """
    decoded: Typed = _decode(kind, value, where, version)
    return decoded


def _decode(kind: Any, value: object, where: str, version: int) -> Any:  # noqa: ANN401 - types are values here
    is_dataclass, origin, arguments = _form(kind)
    if is_dataclass:
        # What is parsed from JSON is never one: it was decoded before.
        return value if type(value) is kind else _decode_fields(kind, value, where, version)
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, value, where, version)
    if origin is Literal:
        return _expect(value in arguments and isinstance(value, str), value, where, f"one of {arguments}")
    if origin is tuple:
        items = _expect(isinstance(value, list), value, where, "a list")
        if _all_plain(arguments[0], items):
            return tuple(items)
        return tuple(_decode(arguments[0], item, f"{where}[{number}]", version) for number, item in enumerate(items))
    if origin is not None and issubclass(origin, Mapping):
        entries = _expect(isinstance(value, dict), value, where, "an object")
        return {name: _decode(arguments[1], item, f"{where}.{name}", version) for name, item in entries.items()}
    return _decode_plain(kind, value, where)


@cache
def _form(kind: Any) -> tuple[bool, Any, tuple[Any, ...]]:  # noqa: ANN401
    """Whether it is a dataclass, and else what a generic type is made of."""
    return dataclasses.is_dataclass(kind) and isinstance(kind, type), get_origin(kind), get_args(kind)


def _all_plain(kind: Any, items: list[object]) -> bool:  # noqa: ANN401
    """Whether each is as `_decode_plain` wants it and gives it back: most of what a file holds is such lists."""
    if kind not in (float, int, str) or any(type(item) is not kind for item in items):
        return False
    # Texts have no bound here, and NaN is within none.
    most = {float: sys.float_info.max, int: MAX_INTEGER}.get(kind)
    return most is None or all(abs(item) <= most for item in items)  # type: ignore[arg-type]


def _decode_fields(kind: type, value: object, where: str, version: int) -> Any:  # noqa: ANN401
    fields = _fields(kind, version)
    entries = _expect(isinstance(value, dict), value, where, "an object")
    if entries.keys() != fields.keys():
        if unknown := sorted(entries.keys() - fields.keys()):
            known = ", ".join(fields)
            raise MistypedJson(f"{where or 'the file'} has an unknown field {unknown[0]!r}; known: {known}")
        raise MistypedJson(f"{where or 'the file'} lacks the field {min(fields.keys() - entries.keys())!r}")
    arguments = {
        name: _decode(hint, entries[name], f"{where}.{name}".lstrip("."), version) for name, hint in fields.items()
    }
    try:
        return kind(**arguments)
    except AdaptkitError as error:
        raise MistypedJson(f"{where or 'the file'}: {error}") from error


def _decode_union(options: tuple[Any, ...], value: object, where: str, version: int) -> Any:  # noqa: ANN401
    if value is None and type(None) in options:
        return None
    # The value's own type first: 3 in a field of float or int stays an int.
    remaining = sorted((option for option in options if option is not type(None)), key=lambda o: o is not type(value))
    problems = []
    for option in remaining:
        try:
            return _decode(option, value, where, version)
        except MistypedJson as error:
            problems.append(str(error))
    raise MistypedJson("; or ".join(problems))


def _decode_plain(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401
    if kind is float:
        number = _expect(isinstance(value, int | float) and not isinstance(value, bool), value, where, "a number")
        return float(_expect(abs(number) <= sys.float_info.max, value, where, "a finite number"))
    names = {int: "an integer", str: "a text", bool: "true or false"}
    plain = _expect(type(value) is kind, value, where, names[kind])
    return _expect(kind is not int or abs(plain) <= MAX_INTEGER, value, where, "an integer of at most 64 bits")


def _expect(holds: bool, value: Any, where: str, right: str) -> Any:  # noqa: ANN401
    if not holds:
        raise MistypedJson(f"{where} is {reprlib.repr(value)}, expected {right}")
    return value


@cache
def _fields(kind: type, version: int) -> dict[str, Any]:
    """The fields that a version has, with their types."""
    hints = get_type_hints(kind)
    return {
        field.name: hints[field.name]
        for field in dataclasses.fields(kind)
        if field.init and field.metadata.get(_SINCE, 1) <= version
    }
