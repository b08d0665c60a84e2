"""Scores of entities in tagged sentences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adaptkit.errors import ConfigError
from adaptkit.scores.metric import check_paired, f1
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
        check_paired(predicted, gold)
        rows = []
        for index, (found, right) in enumerate(zip(predicted, gold, strict=True)):
            if len(found) != len(right):
                raise ConfigError(
                    f"{row_of(index, 'sentences')} has {len(found)} predicted and {len(right)} gold tags; it needs one "
                    "of each for every word. Give words that the model did not reach the tag O."
                )
            ours, theirs = self._entities(found), self._entities(right)
            rows.append((len(ours & theirs), len(ours), len(theirs)))
        return np.asarray(rows, float)

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entity F1, 0 to 100. Shape: (..., 3) -> (...)."""
        return 100 * f1(sums)

    def _entities(self, tags: Sequence[str]) -> set[Entity]:
        # Only those who score tags wait for seqeval and scikit-learn.
        from seqeval.metrics.sequence_labeling import (  # type: ignore[import-untyped, unused-ignore]
            get_entities,
        )

        for tag in tags:
            if not _IOB2.fullmatch(tag):
                raise ConfigError(f"{tag!r} is no IOB2 tag; expected O, or B- or I- before an entity type.")
        return {entity for entity in get_entities(list(tags)) if entity[0] not in self.ignore}
