"""Short texts that are read: stacks, ids and languages."""

from collections.abc import Callable
from random import Random

from adaptkit.composition import AdapterId, parse_composition
from adaptkit.languages import canonical_tag, language_name
from fuzz.mutation import changed_bytes
from fuzz.soundness import require
from fuzz.target import Target
from tests.hostile_texts import HOSTILE

_STACKS = [
    "language/sw > domain/biomedical > task/nli",
    "average(language/sw: 0.5, language/rw: 0.5) > task/nli",
    "average(language/sw > domain/news: 0.25, fuse(language/sw2, language/en): 1e-3) > nli",
    "fuse(language/sw, language/en) > task/nli",
    "topics | language/sw > topics | average(a: 0.5, b: 0.5) > topics",
    "average(average(average(a: 1, b: 2): 3): 4, average(c: -5): 6.0)",
    "",
]
_IDS = ["language/sw", "domain/news-2024.v1", "task/nli", "task/" + "x" * 64]
_TAGS = ["sw", "swh_Latn", "Swahili", "zh-Hant-TW", "Kiswahili", "zho_Hant", "en-US-x-private", "Haitian Creole", "quy"]
_WORDS = (
    "average(",
    "fuse(",
    ")",
    ",",
    ":",
    " > ",
    " | ",
    "language/",
    "task/",
    "sw",
    "1e999",
    "-1",
    "nan",
    "Latn",
    "_",
    "-",
)


def _changed(data: bytes, random: Random) -> bytes:
    if random.random() < 0.5:
        return changed_bytes(data, random)
    text = data.decode("utf-8", "replace")
    for _ in range(random.choice((1, 2, 5))):
        piece = random.choice(_WORDS) if random.random() < 0.7 else random.choice(list(HOSTILE.values()))[:300]
        at = random.randrange(len(text) + 1)
        text = text[:at] + piece * random.choice((1, 1, 1, 1, 2, 50, 3000)) + text[at + random.randrange(3) :]
    return text[:100_000].encode("utf-8", "replace")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _stack(data: bytes) -> Callable[[], None]:
    stack = parse_composition(_text(data))
    again = parse_composition(str(stack))
    return lambda: require(
        again == stack and str(again) == str(stack), f"{str(stack)!r:.200} reads as {str(again)!r:.200}"
    )


def _adapter_id(data: bytes) -> Callable[[], None]:
    found = AdapterId.parse(_text(data))
    return lambda: require(str(found) == _text(data) and str(found).isascii(), f"it prints as {found}")


def _language(data: bytes) -> Callable[[], None]:
    tag = canonical_tag(_text(data))
    again, name = canonical_tag(tag), language_name(tag)
    return lambda: require(again == tag and tag.isascii() and bool(name), f"{tag!r} gives {again!r} and {name!r}")


def _target(seeds: list[str], read: Callable[[bytes], Callable[[], None]]) -> Target:
    return Target(seeds=lambda: [seed.encode() for seed in seeds], mutate=_changed, read=read)


STACK = _target(_STACKS, _stack)
ADAPTER_ID = _target(_IDS, _adapter_id)
LANGUAGE = _target(_TAGS, _language)
