"""JSON from a hostile file: UTF-8, shallow, each key once, no NaN, nothing infinite, no half of a surrogate pair."""

import json
import math

from adaptkit.format.spec import MAX_JSON_DEPTH


def parse_json(content: bytes) -> object:
    """Parse one JSON text.

    Raises:
        ValueError: It is no JSON, or JSON of a kind that two readers may read in two ways.
    """
    try:
        parsed: object = json.loads(
            content.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
        )
    except RecursionError:
        raise ValueError(f"it is nested deeper than {MAX_JSON_DEPTH} levels") from None
    _check(parsed, MAX_JSON_DEPTH)
    return parsed


_PLAIN = {int, float, bool, type(None)}


def _check(value: object, levels: int) -> None:
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict | list) and value:
        if levels == 0:
            raise ValueError(f"it is nested deeper than {MAX_JSON_DEPTH} levels")
        if isinstance(value, dict):
            "".join(value).encode()
        items = value.values() if isinstance(value, dict) else value
        # Most of a record is lists of numbers.
        if not _PLAIN.issuperset(map(type, items)):
            for item in items:
                _check(item, levels - 1)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key is repeated")
    return content


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is beyond every number")
    return number


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")
