"""News that a decoder is trained and measured on: lines of one language, each once, in two parts that share none."""

import gzip
import json
import random

from benchmarks import free_text
from benchmarks.write_results import data_folder

_BYTES = range(40, 241)
"""So that a held-out line is measured whole."""


def parts(language: str, *, n_training: int, n_heldout: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """So many lines to train on and so many to measure on; lines are told apart by their words, in small letters."""
    found: dict[str, str] = {}
    for line in _lines(language):
        text = " ".join(line.split())
        if len(text.encode()) in _BYTES:
            found.setdefault(text.casefold(), text)
    lines = list(found.values())
    random.Random(seed).shuffle(lines)
    heldout, training = lines[:n_heldout], lines[n_heldout : n_heldout + n_training]
    return training, heldout


def _lines(language: str) -> list[str]:
    if language in free_text.VOA:
        with gzip.open(free_text.news(language), "rt", encoding="utf-8") as file:
            return list(file)
    path = data_folder() / f"text/lafand-mt/en-{_LAFAND[language]}/train.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(row)["translation"][_LAFAND[language]] for row in file]


_LAFAND = {"yo": "yor"}
