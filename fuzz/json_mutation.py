"""JSON made into other JSON: values, names and places changed, mostly one at a time."""

import json
from random import Random
from typing import Any

from fuzz.mutation import MAX_BYTES
from tests.hostile_texts import HOSTILE

_MOST_REPEATED = 200

NUMBERS: tuple[Any, ...] = (
    *(
        0,
        1,
        -1,
        2,
        3,
        16,
        255,
        512,
        513,
        4096,
        4097,
        65_536,
        65_537,
        2**31,
        2**53 + 1,
        2**63,
        2**64,
        2**64 + 1,
        -(2**64),
    ),
    *(10**400, 10**4000, -(10**4000), 0.0, -0.0, 0.5, 1.0, 1.5, 1e-300, 5e-324, 1e16, 1e300, 1e308, 4.0),
)
WORDS = (
    *(
        "",
        "sw",
        "en",
        "language",
        "domain",
        "task",
        "language/sw",
        "task/nli",
        "language/../x",
        "und",
        "zh-Hant-TW",
        "swh_Latn",
    ),
    *(
        "bert",
        "roberta",
        "xlm-roberta",
        "distilbert",
        "deberta-v2",
        "llama",
        "qwen2",
        "qwen3",
        "__class__",
        "float32",
        "nf4",
    ),
    *("lora", "bottleneck", "fusion", "head", "LORA", "ADAPTKIT", "IA3", "standard", "rank_stabilized", "relu", "gelu"),
    *(
        "classification",
        "tagging",
        "qa",
        "choice",
        "similarity",
        "multilabel",
        "regression",
        "attention.query",
        "block.output",
        "embeddings",
        "ffn.gate",
    ),
    *("all-linear", ".*", "(a+)+$", "query", "encoder.layer.0.attention.self.query", "../../etc/passwd", "/etc/passwd"),
    *("F32", "BF16", "F64", "I64", "F8_E4M3", "none", "all", "gaussian", "pissa", "NaN", "1", "true", "sample"),
)
NAMES = (
    *(
        "format_version",
        "rank_pattern",
        "alpha_pattern",
        "use_dora",
        "auto_mapping",
        "modules_to_save",
        "layer_replication",
    ),
    *(
        "__class__",
        "__metadata__",
        "head",
        "hides_top_block",
        "settings",
        "",
        "trust_remote_code",
        "n_key_heads",
        "head_width",
    ),
)


def changed_json(content: bytes, random: Random) -> bytes:
    """The same JSON text with one thing changed, or as it was where it is no JSON."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return content
    root = [parsed]
    places = list(_places(root))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        _change(random.choice(places), places, random)
    try:
        text = json.dumps(root[0] if root else None, ensure_ascii=random.random() < 0.5)
    except (ValueError, RecursionError):  # a value was put inside itself
        return content
    if random.random() < 0.05:
        text = text.replace("0.5", "1e999").replace("1.0", "NaN")
    changed = text.encode("utf-8", "surrogatepass")
    return changed if len(changed) <= max(MAX_BYTES, len(content)) else content


_Place = tuple[Any, Any]


def _places(root: list[Any]) -> list[_Place]:
    """Every (container, key), a fair share of each level."""
    found: list[_Place] = []
    levels: list[Any] = [root]
    while levels:
        container = levels.pop()
        keys = list(container) if isinstance(container, dict) else list(range(min(len(container), 8)))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                levels.append(container[key])
    return found


def _change(place: _Place, places: list[_Place], random: Random) -> None:
    container, key = place
    try:
        match random.randrange(8):
            case 0:
                del container[key]
            case 1 if isinstance(container, dict):
                container[random.choice((*NAMES, *HOSTILE.values()))] = container.pop(key)
            case 2 if isinstance(container, dict):
                container[random.choice(NAMES)] = evil_value(random)
            case 2 if len(container) < _MOST_REPEATED:
                container *= random.choice((2, 17, 300))
            case 3:
                other, there = random.choice(places)
                text = json.dumps(other[there])
                if len(text) < MAX_BYTES // 8:
                    container[key] = json.loads(text)
            case 4 if isinstance(container[key], int | float):
                container[key] += random.choice((1, -1, 0.5, 1e-9))
            case 5 if isinstance(container[key], str):
                container[key] = _changed_text(container[key], random)
            case _:
                container[key] = evil_value(random)
    except (KeyError, IndexError, OverflowError, ValueError):  # gone since, or no number any more
        return


def _changed_text(text: str, random: Random) -> str:
    hostile = random.choice(list(HOSTILE.values()))
    at = random.randrange(len(text) + 1)
    return random.choice((text[:at] + hostile[:2000] + text[at:], hostile, text[:at], text.upper(), text[::-1]))


def evil_value(random: Random) -> Any:  # noqa: ANN401 - JSON
    """Some JSON value that somebody may not have thought of."""
    match random.randrange(8):
        case 0 | 1:
            return random.choice(NUMBERS)
        case 2 | 3:
            return random.choice(WORDS)
        case 4:
            return random.choice(list(HOSTILE.values()))
        case 5:
            return random.choice((None, True, False, [], {}, [[]], {"": None}, float("nan"), float("inf"), "\ud800"))
        case 6:
            return [evil_value(random)] * random.choice((1, 2, 3, 40))
    nested: Any = random.choice(NUMBERS)
    for _ in range(random.choice((1, 2, 20, 300))):
        nested = [nested] if random.random() < 0.5 else {random.choice(NAMES): nested}
    return nested
