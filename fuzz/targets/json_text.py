"""JSON from a stranger, against the standard library's reading of it."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

from adaptkit.errors import ConfigError
from adaptkit.format.strict_json import parse_json
from fuzz.json_mutation import changed_json
from fuzz.mutation import changed_bytes
from fuzz.soundness import require
from fuzz.target import Target

_SEEDS = [
    b'{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00"], "b": {"c": {}}}',
    b"[[[[]]]]",
    b'"x"',
    b"0",
    (Path(__file__).parents[2] / "tests" / "golden" / "v2" / "topics" / "adapter_config.json").read_bytes(),
]


def _changed(data: bytes, random: Random) -> bytes:
    return changed_bytes(data, random) if random.random() < 0.6 else changed_json(data, random)


def _parse(data: bytes) -> Callable[[], None]:
    try:
        parsed = parse_json(data)
    except ValueError as error:  # what parse_json says of all that is no sound JSON; its callers name the file
        raise ConfigError("no sound JSON") from error
    return lambda: _check(parsed, data)


def _check(parsed: object, data: bytes) -> None:
    require(parsed == json.loads(data), "the standard library reads another value")
    require(json.loads(json.dumps(parsed, allow_nan=False)) == parsed, "written and read again, it is another value")


STRICT_JSON = Target(seeds=lambda: _SEEDS, mutate=_changed, read=_parse)
