"""The sample that comes with adaptkit: everyday sentences written for it, in English, Swahili, Hausa and Yoruba."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

from adaptkit.errors import SourceNotFound
from adaptkit.terminal.asking import as_typed

Split: TypeAlias = Literal["train", "test"]

DESCRIPTION = "adaptkit's everyday sample"
LICENCE = "Apache-2.0"
TOPICS = ("health", "farming", "school", "market", "travel", "sport")


@dataclass(frozen=True)
class SampleSentence:
    """One meaning in some languages. `split` is fixed: test sentences are in no training text."""

    id: str
    topic: str
    split: Split
    texts: dict[str, str]


@cache
def sample_sentences() -> tuple[SampleSentence, ...]:
    """All sentences of the sample."""
    lines = files("adaptkit.data").joinpath("everyday.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_sentence(json.loads(line)) for line in lines)


def sample_languages() -> tuple[str, ...]:
    """Canonical tags of the languages besides English."""
    return tuple(sorted({tag for sentence in sample_sentences() for tag in sentence.texts} - {"en"}))


def sample_pairs(language: str, split: Split = "train") -> list[tuple[str, str]]:
    """Pairs of an English sentence and its translation.

    Raises:
        SourceNotFound: The sample does not have the language.
    """
    pairs = [
        (sentence.texts["en"], sentence.texts[language])
        for sentence in sample_sentences()
        if sentence.split == split and language in sentence.texts
    ]
    if not pairs:
        raise SourceNotFound(
            f"the sample has no sentences in {language!r}; it has {', '.join(sample_languages())}. "
            f"Give {as_typed(text=...)} (sentences in the language) or {as_typed(parallel=...)} (sentences with "
            "their translations)."
        )
    return pairs


def sample_topics(language: str, split: Split) -> tuple[list[str], list[str]]:
    """Sentences in a language, and the topic of each.

    Raises:
        SourceNotFound: The sample does not have the language.
    """
    chosen = [s for s in sample_sentences() if s.split == split and language in s.texts]
    if not chosen:
        raise SourceNotFound(
            f"the sample has no sentences in {language!r}; it has en, {', '.join(sample_languages())}."
        )
    return [sentence.texts[language] for sentence in chosen], [sentence.topic for sentence in chosen]


def _sentence(row: dict[str, str]) -> SampleSentence:
    split: Split = "test" if row["split"] == "test" else "train"
    texts = {key: value for key, value in row.items() if key not in {"id", "topic", "split"}}
    return SampleSentence(id=row["id"], topic=row["topic"], split=split, texts=texts)
