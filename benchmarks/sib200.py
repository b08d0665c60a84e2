"""SIB-200 zero-shot: head trained on English without any adapter, tested in another language with and without one."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adaptkit import AdaptedModel, Adapter
from adaptkit.data.parallel import open_parallel
from adaptkit.evaluation import TopicHead
from adaptkit.evaluation.attached import attached
from adaptkit.scores import paired_difference
from benchmarks.write_results import data_folder

SIB_FOLDER = {
    "sw": "swh_Latn",
    "ha": "hau_Latn",
    "yo": "yor_Latn",
    "ig": "ibo_Latn",
    "bm": "bam_Latn",
    "am": "amh_Ethi",
    "rw": "kin_Latn",
    "gn": "grn_Latn",
    "dz": "dzo_Tibt",
    "quy": "quy_Latn",
    "en": "eng_Latn",
    "ar": "arb_Arab",
    "de": "deu_Latn",
    "es": "spa_Latn",
    "fr": "fra_Latn",
    "hi": "hin_Deva",
    "ru": "rus_Cyrl",
    "ur": "urd_Arab",
    "zh": "zho_Hans",
}
LAFAND = {
    "sw": ("en", "swa"),
    "ha": ("en", "hau"),
    "yo": ("en", "yor"),
    "ig": ("en", "ibo"),
    "bm": ("fr", "bam"),
    "am": ("en", "amh"),
    "rw": ("en", "kin"),
}
AMERICAS = {"gn": "guarani-spanish/train", "quy": "quechua-spanish/dict"}


def read_topics(language: str, split: str) -> tuple[list[str], list[str]]:
    """The sentences of a split and their topics; `development` are train and dev, by which choices are made."""
    parts = ("train", "dev") if split == "development" else (split,)
    rows = [row for part in parts for row in _rows(language, part)]
    return [row["text"] for row in rows], [row["category"] for row in rows]


def topic_sentences(source: str, language: str, splits: Sequence[str]) -> list[tuple[str, str]]:
    """The sentences of some splits in two languages, without their topics."""
    ours, theirs = (
        {row["index_id"]: row["text"] for split in splits for row in _rows(name, split)} for name in (language, source)
    )
    return [(theirs[number], ours[number]) for number in sorted(ours.keys() & theirs.keys(), key=int)]


def _rows(language: str, split: str) -> list[dict[str, str]]:
    path = data_folder() / "sib200" / SIB_FOLDER[language] / f"{split}.tsv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def lafand_files(language: str) -> list[Path]:
    source, target = LAFAND[language]
    folder = data_folder() / "text/lafand-mt" / f"{source}-{target}"
    return [path for split in ("train", "dev", "test") if (path := folder / f"{split}.json.gz").is_file()]


def lafand_pairs(language: str) -> list[tuple[str, str]]:
    files = open_parallel(lafand_files(language), target=language, source_language=LAFAND[language][0])
    return list(files.pairs())


def parallel_pairs(language: str) -> tuple[str, list[tuple[str, str]]]:
    """The language of the first sentences, and the pairs at hand: news, or for Quechua the entries of a dictionary.

    Figures until November 2026 were trained with the byte order mark that one entry of Quechua begins with.
    """
    if language in LAFAND:
        return LAFAND[language][0], lafand_pairs(language)
    stem = f"{data_folder()}/text/americasnlp2021/{AMERICAS[language]}"
    files = open_parallel((f"{stem}.es.gz", f"{stem}.{language}.gz"), target=language, source_language="es")
    return "es", list(files.pairs())


def overlap(training: list[str], test: list[str]) -> int:
    """How many test sentences share a run of eight words with the training text."""
    seen = {run for text in training for run in word_runs(text)}
    return sum(bool(word_runs(text) & seen) for text in test)


def word_runs(text: str) -> set[tuple[str, ...]]:
    """All runs of eight words; a shorter text is one."""
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + 8]) for at in range(len(words) - 7)} or {tuple(words)}


@dataclass
class ZeroShot:
    """The head, and the scores without any adapter, made once."""

    model: AdaptedModel

    def __post_init__(self) -> None:
        self.head = TopicHead.trained_on(self.model, *read_topics("en", "train"))
        self._bare: dict[tuple[str, str], NDArray[np.float64]] = {}

    def bare(self, language: str, split: str = "test") -> NDArray[np.float64]:
        if (language, split) not in self._bare:
            self._bare[language, split] = self.head.correct(self.model, *read_topics(language, split))
        return self._bare[language, split]

    def adapted(self, language: str, adapter: Adapter, split: str = "test") -> NDArray[np.float64]:
        with attached(self.model, adapter):
            return self.head.correct(self.model, *read_topics(language, split), stack=adapter)

    def report(self, language: str, runs: list[NDArray[np.float64]]) -> dict[str, Any]:
        """Figures of some runs that differ in their seed."""
        without = self.bare(language)
        gain = paired_difference(np.stack(runs), without)
        accuracies = [round(100 * float(run.mean()), 2) for run in runs]
        return {
            "without": round(100 * float(without.mean()), 2),
            "with": accuracies,
            "with_mean": round(float(np.mean(accuracies)), 2),
            "with_sd": round(float(np.std(accuracies, ddof=1)), 2) if len(runs) > 1 else None,
            "gain": round(gain.mean, 2),
            "interval_95": [round(gain.low, 2), round(gain.high, 2)],
            "verdict": gain.verdict,
        }
