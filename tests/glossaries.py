"""An invented language whose every word has one English word, and what is made of it."""

import random

from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import GlossaryConfig

MEANINGS = {
    "amani": "peace",
    "bolo": "school",
    "chuma": "iron",
    "dalo": "river",
    "embe": "mango",
    "fani": "market",
    "goli": "goat",
    "hori": "teacher",
    "ikela": "rain",
    "jumo": "doctor",
    "kasi": "water",
    "lumo": "road",
}
GLOSSES = GlossaryConfig(words=("bolo", "goli", "kasi"), translations=("school", "goat", "water"))
GLOSSARY = AdapterConfig(method=GLOSSES)


def translated_pairs(n: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """English and the invented language, sentences of three to six words in the same order."""
    draw = random.Random(seed)
    chosen = [draw.choices(list(MEANINGS), k=draw.randint(3, 6)) for _ in range(n)]
    return [(" ".join(MEANINGS[word] for word in words), " ".join(words)) for words in chosen]
