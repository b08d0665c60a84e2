"""What a language adapter is worth: topics, retrieval, names and inference, each with and without it."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.data.corpus import open_corpus
from adaptkit.evaluation.attached import attached
from adaptkit.scores import paired_difference
from benchmarks.retrieval import found_by_vectors
from benchmarks.sib200 import SIB_FOLDER, ZeroShot
from benchmarks.write_results import data_folder

NAMES = ("bm", "ha", "ig", "rw", "sw", "yo")
INFERENCE = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "tr", "ur", "vi", "zh")


@dataclass
class Scores:
    """The bare backbone's answers, made once for all adapters that it is given; those of tasks in the folder `keep`."""

    model: AdaptedModel
    keep: Path
    names: list[Path] = field(default_factory=list)
    inference: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._topics = ZeroShot(self.model)
        self._found_bare: dict[str, NDArray[np.float64]] = {}

    def of(self, adapter: Adapter, language: str, wanted: tuple[str, ...]) -> dict[str, Any]:
        """Gains in points by task, those that the data at hand has for the language."""
        found: dict[str, Any] = {}
        if "topics" in wanted and language in SIB_FOLDER:
            found["topics, development"] = self._of_topics(adapter, language, "development")
            found["topics, test"] = self._of_topics(adapter, language, "test")
        if "retrieval" in wanted and has_flores(language):
            found["retrieval"] = self._retrieval(adapter, language)
        if "names" in wanted and language in NAMES and self.names:
            found["names"] = self._transfer("masakhaner", self.names, adapter, language)
        if "inference" in wanted and language in INFERENCE and self.inference:
            found["inference"] = self._transfer("xnli", self.inference, adapter, language)
        return found

    def _of_topics(self, adapter: Adapter, language: str, split: str) -> dict[str, Any]:
        return compared(self._topics.adapted(language, adapter, split), self._topics.bare(language, split))

    def _retrieval(self, adapter: Adapter, language: str) -> dict[str, Any]:
        """Accuracy at 1 of 1,005 sentences, the mean of both directions. English is encoded without the adapter."""
        texts = flores_sentences(language)

        def both(stack: str | None) -> NDArray[np.float64]:
            own = self.model.encode(texts, stack=stack)
            return np.concatenate(
                [
                    found_by_vectors(own, self._english, flores_sentences("en")),
                    found_by_vectors(self._english, own, texts),
                ]
            )

        if language not in self._found_bare:
            self._found_bare[language] = both(None)
        with attached(self.model, adapter):
            return compared(both(adapter.id), self._found_bare[language])

    @cached_property
    def _english(self) -> Tensor:
        return self.model.encode(flores_sentences("en"))

    def _transfer(self, task: str, tasks: list[Path], adapter: Adapter, language: str) -> dict[str, Any]:
        report = adaptkit.evaluate(
            self.model,
            task=task,
            adapter=[adaptkit.load_adapter(path) for path in tasks],
            languages=[language],
            compare=["none", "target"],
            data=data_folder(),
            zoo=[adapter],
            source_language="en",
            measuring=adaptkit.Measuring(batch_size=128, keep=self.keep, progress=False),
        )
        none, target = (_cell(report, condition) for condition in ("none", "target"))
        return {"without": none, "with": target, "gain": round(target - none, 2)}


def _cell(report: adaptkit.TransferReport, condition: str) -> float:
    cells = [cell for cell in report.results.cells if cell.condition == condition]
    return round(fmean(next(iter(cells[0].scores.values()))), 2)


def compared(with_: NDArray[np.float64], without: NDArray[np.float64]) -> dict[str, Any]:
    """What was gained. Shape: both (n_sentences), or (n_seeds, n_sentences)."""
    gain = paired_difference(with_, without)
    return {
        "without": round(100 * float(without.mean()), 2),
        "with": round(100 * float(with_.mean()), 2),
        "gain": round(gain.mean, 2),
        "interval_95": [round(gain.low, 2), round(gain.high, 2)],
    }


def _flores(language: str) -> Path:
    code = SIB_FOLDER.get(language, "none")
    return data_folder() / "flores-retrieval" / f"{code}.txt.gz"


def has_flores(language: str) -> bool:
    """Whether its sentences are at hand."""
    return _flores(language).is_file()


def flores_sentences(language: str) -> list[str]:
    return list(open_corpus(_flores(language)).lines())
