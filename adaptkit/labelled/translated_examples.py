"""Examples that are translations of others, known by their labels in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from adaptkit.data.tasks import Example
from adaptkit.task_types import type_of

_CHARACTERS = 0x110000


def copies_of(examples: Sequence[Example]) -> Mapping[int, int]:
    """By the number of each example that is a translation of another, the number of that one.

    Those of a language are, where they come one after the other, and so among those of another language, alike in all
    but texts and language: words that were translated, or a data set that is there in several languages. Where a few
    are so by chance, they are held out together and need not be.
    """
    by_language: dict[str | None, list[int]] = {}
    for number, example in enumerate(examples):
        by_language.setdefault(example.language, []).append(number)
    if len(by_language) < 2:
        return {}
    characters: dict[str, str] = {}
    spelled = [
        characters.setdefault(_without_text(example), chr(len(characters) % _CHARACTERS)) for example in examples
    ]
    original = list(range(len(examples)))
    for few, many in combinations(sorted(by_language.values(), key=len), 2):
        if few[-1] - few[0] >= len(few):
            continue
        start = "".join(spelled[number] for number in many).find("".join(spelled[number] for number in few))
        if start >= 0:
            for one, other in zip(few, many[start:], strict=False):
                original[other] = original[one]
    return {number: first for number, first in enumerate(original) if first != number}


def _without_text(example: Example) -> str:
    """All that stays of an example in translation. A caller's may hold lists, which are no keys."""
    blank: Example = type_of(example).with_texts(example, lambda _: "")
    return repr(replace(blank, language=None))
