"""An invented language in a script that the tiny tokenizers do not know, and pieces of it."""

import random

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig, PiecesConfig

SYLLABLES = ("ⴰⵣ", "ⵎⴰ", "ⵏⵓ", "ⵔⵉ", "ⴽⵓ", "ⵍⴰ", "ⵙⵉ", "ⵜⵓ")
"""Tifinagh letters, in an order that means nothing."""
PIECES = PiecesConfig(
    pieces=("▁ⴰⵣ", "▁ⵎⴰ", "ⵏⵓ", "ⵔⵉ", "ⴽⵓ", *sorted({letter for each in SYLLABLES for letter in each})),
    scores=(-2.0, -2.5, -3.0, -3.5, -4.0, *[-9.0] * 11),
)
OWN_PIECES = AdapterConfig(method=LoraConfig(rank=2, sites=("attention.query",)), pieces=PIECES)


def invented_sentences(n: int, *, seed: int = 0) -> list[str]:
    """Sentences of three to six words of two syllables each."""
    draw = random.Random(seed)
    words = [first + second for first in SYLLABLES for second in SYLLABLES]
    return [" ".join(draw.choices(words, k=draw.randint(3, 6))) for _ in range(n)]


MEANINGS = dict(zip(SYLLABLES, ("farm", "goat", "water", "school", "health", "rain", "book", "song"), strict=True))
"""What each syllable means in English, in the invented language."""


def invented_pairs(n: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """English and the invented language: a word is two syllables, and means what they mean."""
    return [(english_of(sentence), sentence) for sentence in invented_sentences(n, seed=seed)]


def english_of(sentence: str) -> str:
    return " ".join(MEANINGS[word[place : place + 2]] for word in sentence.split() for place in (0, 2))
