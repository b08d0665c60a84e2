"""Scores of entities in tagged sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import check_paired, f1, ratio
from adaptkit.terminal.amounts import row_of

_IOB2 = re.compile(r"O|[BI]-.+")

Entity = tuple[str, int, int]


@dataclass(frozen=True)
class EntityF1:
    """Micro F1 over entities: an entity counts if type, first and last word are right (Tjong Kim Sang 2003).

    This is `seqeval.metrics.f1_score` in its default mode, that of conlleval: an `I-` tag that continues nothing opens
    an entity. Without any entity in gold and predictions the score is 0.

    Entities of a type in `ignore` are dropped from gold and predictions alike, for types that the training data do not
    have (DATE of MasakhaNER, for a model trained on WikiAnn). A dropped prediction is not counted as an error.
    """

    ignore: frozenset[str] = frozenset()
    name: str = "entity F1"

    def statistics(self, predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Shape: (n_sentences, 3), entities (correct, predicted, gold).

        Raises:
            ConfigError: A tag that is not IOB2, a sentence with more or fewer predicted than gold tags, no sentences,
                or not as many predicted as gold ones.
        """
        rows = []
        for found, right in _entities_of(predicted, gold):
            ours, theirs = self._counted(found), self._counted(right)
            rows.append(_counts(ours, theirs))
        return np.asarray(rows, float)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entity F1, 0 to 100. Shape: (..., 3) -> (...)."""
        return 100 * f1(sums)

    def _counted(self, entities: set[Entity]) -> set[Entity]:
        return {entity for entity in entities if entity[0] not in self.ignore}


@dataclass(frozen=True)
class EntityMacroF1:
    """Mean over entity types, `labels`, of each type's F1, counted as in `EntityF1`; entities of others are left out.

    Types that occur neither in gold nor in predictions are left out of the mean. Over those that occur, this is
    `seqeval.metrics.f1_score(average="macro")`.

    Raises:
        ConfigError: No types, or one of them twice.
    """

    labels: tuple[str, ...]
    name: str = "macro entity F1"

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise ConfigError(f"macro entity F1 needs at least one type and each of them once, found {self.labels}.")

    def statistics(self, predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Shape: (n_sentences, 3 * n_types), for each type entities (correct, predicted, gold).

        Raises:
            ConfigError: As `EntityF1.statistics`.
        """
        return np.asarray(
            [
                [count for kind in self.labels for count in _counts(_of_type(found, kind), _of_type(right, kind))]
                for found, right in _entities_of(predicted, gold)
            ],
            float,
        )

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Macro entity F1, 0 to 100. Shape: (..., 3 * n_types) -> (...)."""
        counts = sums.reshape(*sums.shape[:-1], len(self.labels), 3)
        return 100 * ratio(f1(counts).sum(axis=-1), counts.any(axis=-1).sum(axis=-1))


def _counts(found: set[Entity], right: set[Entity]) -> tuple[int, int, int]:
    return len(found & right), len(found), len(right)


def _of_type(entities: set[Entity], kind: str) -> set[Entity]:
    return {entity for entity in entities if entity[0] == kind}


def _entities_of(
    predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]
) -> list[tuple[set[Entity], set[Entity]]]:
    """The entities of each sentence, predicted and gold.

    Raises:
        ConfigError: As `EntityF1.statistics`.
    """
    check_paired(predicted, gold)
    for index, (found, right) in enumerate(zip(predicted, gold, strict=True)):
        if len(found) != len(right):
            raise ConfigError(
                f"{row_of(index, 'sentences')} has {len(found)} predicted and {len(right)} gold tags; it needs one "
                "of each for every word. Give words that the model did not reach the tag O."
            )
    return [(_entities(found), _entities(right)) for found, right in zip(predicted, gold, strict=True)]


def _entities(tags: Sequence[str]) -> set[Entity]:
    # Only those who score tags wait for seqeval and scikit-learn.
    from seqeval.metrics.sequence_labeling import (  # type: ignore[import-untyped, unused-ignore]
        get_entities,
    )

    for tag in tags:
        if not _IOB2.fullmatch(tag):
            raise ConfigError(f"{tag!r} is no IOB2 tag; expected O, or B- or I- before an entity type.")
    return set(get_entities(list(tags)))
