"""What a bag of letters knows of a translation's vector that the backbone, or a language adapter, does not.

`python -m benchmarks.run ngram_residual [--languages bm,quy] [--pairs 7000] [--penalty 1] [--adapters FOLDER]
[--device cuda]`. Nothing is trained by gradients: of parallel text, the vector of the translation less that of the
sentence is predicted from the sentence's n-grams of letters by ridge regression, in closed form, and is added to a
text's vector. The average difference between the two sides is always part of it, and is measured alone too (`centred`).
`--adapters` is a folder of language adapters by their tags; a language without one is measured on the bare backbone.
Topics are of SIB-200 by a head trained in English, retrieval is FLORES's, both directions, against English without an
adapter.
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

import adaptkit
from adaptkit import AdaptedModel, Adapter
from adaptkit.evaluation.attached import attached
from benchmarks.retrieval import found_by_vectors
from benchmarks.sib200 import ZeroShot, read_topics
from benchmarks.trials.scores import compared, flores_sentences
from benchmarks.trials.texts import Pairs, mix
from benchmarks.write_results import write_result

Vectors: TypeAlias = NDArray[np.float32]
SOURCES = ("news", "ntrex", "seed", "tico", "web")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--languages", default="bm,gn,am,quy,ha,ig,rw,sw,yo")
    parser.add_argument("--pairs", type=int, default=7000)
    parser.add_argument("--penalty", type=float, default=1.0, help="of the ridge regression")
    parser.add_argument("--adapters", type=Path, help="language adapters by their tags")
    parser.add_argument("--device", default="auto")
    options = parser.parse_args(arguments)
    model = adaptkit.load_model(device=options.device)
    topics = ZeroShot(model)
    measured: dict[str, Any] = {}
    for language in options.languages.split(","):
        measured[language] = _of_language(options, model, topics, language)
        print(language, measured[language], flush=True)
    config = {**vars(options), "adapters": options.adapters is not None}
    print(write_result("ngram_residual", seeds=[0], config=config, measured=measured))


def _of_language(options: argparse.Namespace, model: AdaptedModel, topics: ZeroShot, language: str) -> dict[str, Any]:
    pairs: Pairs = [pair for source in mix(SOURCES, language) for pair in cast("Pairs", source.text)]
    random.Random(0).shuffle(pairs)
    pairs = pairs[: options.pairs]
    translations, sentences = ([pair[side] for pair in pairs] for side in (0, 1))
    targets = _vectors(model, translations, None)
    grams = n_grams_of(sentences)
    test = Test(model, topics, language)
    found: dict[str, Any] = {"pairs": len(pairs), "n_grams": len(grams.vocabulary_)}
    bare = test.right(test.vectors(None))
    for name, adapter in _adapters(options.adapters, language).items():
        with nullcontext() if adapter is None else attached(model, adapter):
            residual = Residual.of(grams, sentences, _vectors(model, sentences, adapter), targets, options.penalty)
            vectors = test.vectors(adapter)
        shifted = {part: own + residual.shift for part, own in vectors.items()}
        added = {part: own + residual.of_texts(test.texts[part]) for part, own in shifted.items()}
        for way, changed in ((name, vectors), (f"{name}, centred", shifted), (f"{name}, with n-grams", added)):
            found[way] = {score: compared(right, bare[score]) for score, right in test.right(changed).items()}
    return found


def n_grams_of(sentences: Sequence[str]) -> TfidfVectorizer:
    """Three to five letters within words, those of at least three sentences, by how seldom they are."""
    least = min(3, len(sentences))
    return TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), min_df=least, sublinear_tf=True, max_features=120_000
    ).fit(sentences)


def _adapters(folder: Path | None, language: str) -> Mapping[str, Adapter | None]:
    found: dict[str, Adapter | None] = {"bare": None}
    if folder is not None and (folder / language).is_dir():
        found["adapter"] = adaptkit.load_adapter(folder / language)
    return found


@dataclass(frozen=True)
class Residual:
    """The average difference of targets and vectors, and what n-grams say of the rest.

    Shape: shift (width), weights (n_grams, width).
    """

    grams: TfidfVectorizer
    shift: Vectors
    weights: Vectors

    @classmethod
    def of(
        cls, grams: TfidfVectorizer, sentences: Sequence[str], vectors: Vectors, targets: Vectors, penalty: float
    ) -> "Residual":
        """By the dual form, as there are fewer sentences than n-grams."""
        features = grams.transform(sentences)
        shift = targets.mean(axis=0) - vectors.mean(axis=0)
        gram = (features @ features.T).toarray().astype(np.float32)
        gram[np.diag_indices_from(gram)] += penalty
        factor = torch.linalg.cholesky(torch.from_numpy(gram))
        dual = torch.cholesky_solve(torch.from_numpy(targets - vectors - shift), factor)
        return cls(grams, shift, features.T @ dual.numpy())

    def of_texts(self, texts: Sequence[str]) -> Vectors:
        """What is added to their vectors besides the shift. Shape: (n_texts, width)."""
        found: Vectors = self.grams.transform(texts) @ self.weights
        return found


class Test:
    """The texts of a language that are scored, by part: sentences with a topic, and those with an English one."""

    __test__ = False

    def __init__(self, model: AdaptedModel, topics: ZeroShot, language: str) -> None:
        self._model = model
        self._head = topics.head
        self._english = flores_sentences("en")
        self._there = model.encode(self._english)
        read = {split: read_topics(language, split) for split in ("development", "test")}
        self._topics = {split: np.asarray(right) for split, (_, right) in read.items()}
        self.texts = {**{split: texts for split, (texts, _) in read.items()}, "flores": flores_sentences(language)}

    def vectors(self, adapter: Adapter | None) -> dict[str, Vectors]:
        """Of all texts, by part."""
        return {part: _vectors(self._model, texts, adapter) for part, texts in self.texts.items()}

    def right(self, vectors: Mapping[str, Vectors]) -> dict[str, NDArray[np.float64]]:
        """1.0 for each answer that is right, by score. Shape: each (n_answers)."""
        by_part = {part: torch.from_numpy(found.astype(np.float32)) for part, found in vectors.items()}
        found = {
            f"topics, {split}": np.asarray(self._head.topics_of(by_part[split]) == topics, np.float64)
            for split, topics in self._topics.items()
        }
        own, texts = by_part["flores"], self.texts["flores"]
        ways = (found_by_vectors(own, self._there, self._english), found_by_vectors(self._there, own, texts))
        return {**found, "retrieval": np.concatenate(ways)}


def _vectors(model: AdaptedModel, texts: Sequence[str], adapter: Adapter | None) -> Vectors:
    found: Vectors = model.encode(texts, stack=None if adapter is None else adapter.id).float().cpu().numpy()
    return found
