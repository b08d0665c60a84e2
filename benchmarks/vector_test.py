"""Topics and retrieval of a language, answered by sentence vectors alone, under one stack or another."""

import numpy as np
from numpy.typing import NDArray

from adaptkit import AdaptedModel, Adapter
from benchmarks.retrieval import found_by_vectors
from benchmarks.sib200 import ZeroShot, read_topics
from benchmarks.trials.scores import flores_sentences


class VectorTest:
    """The texts of a language that are scored, by part: sentences with a topic, and those with an English one."""

    def __init__(self, model: AdaptedModel, topics: ZeroShot, language: str) -> None:
        self._model = model
        self._head = topics.head
        self._english = flores_sentences("en")
        self._there = model.encode(self._english)
        read = {split: read_topics(language, split) for split in ("development", "test")}
        self._topics = {split: np.asarray(right) for split, (_, right) in read.items()}
        self._texts = {**{split: texts for split, (texts, _) in read.items()}, "flores": flores_sentences(language)}

    def right(self, stack: Adapter | str | None) -> dict[str, NDArray[np.float64]]:
        """1.0 for each answer that is right under a stack, by score. Shape: each (n_answers)."""
        vectors = {part: self._model.encode(texts, stack=stack).float().cpu() for part, texts in self._texts.items()}
        found = {
            f"topics, {split}": np.asarray(self._head.topics_of(vectors[split]) == topics, np.float64)
            for split, topics in self._topics.items()
        }
        own, texts = vectors["flores"], self._texts["flores"]
        ways = (found_by_vectors(own, self._there, self._english), found_by_vectors(self._there, own, texts))
        return {**found, "retrieval": np.concatenate(ways)}
