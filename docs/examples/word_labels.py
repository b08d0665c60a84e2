"""A task type in one file: a label for each word, without entities (parts of speech), scored word by word.

A table is recognised by its columns `words` and `word_labels`. CoNLL is read as `task_type="word_labels"`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones import TextReader
from adaptkit.data.tasks import Example
from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about, label_of, sequence_of
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.heads import label_number, of_type
from adaptkit.heads.batch import Batch
from adaptkit.layers.heads import TokenHead
from adaptkit.scores.metric import check_paired, f1, ratio
from adaptkit.task_types import IGNORED, TASK_TYPES, HeadConfig, HeadFields, Item, TaskMetric, TaskType, as_ids
from adaptkit.task_types.tensor_shapes import one_per_label, token_head

UNREAD = ""
"""The label of words beyond what a backbone reads at once: always wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledWords:
    """Words with a label each."""

    words: tuple[str, ...]
    labels: tuple[str, ...]
    language: str | None = None
    group: str | None = None


# From a row of a table, and from what `predict` is given, to an example


def read(row: LabelledRow, rules: LabelRules, dropped: Dropped) -> LabelledWords | None:
    """A row with as many labels as words; one where a word has none is left out."""
    words, labels = (sequence_of(row, role) for role in ("words", "labels"))
    if len(words) != len(labels) or not words:
        raise row.wrong(f"{len(words)} words and {len(labels)} labels", "a label for each word")
    known = [label for label in (label_of(row, rules, label) for label in labels) if label is not None]
    if len(known) < len(labels):
        dropped["without a label for each word"] += 1
        return None
    language, group = about(row)
    return LabelledWords(words=tuple(map(str, words)), labels=tuple(known), language=language, group=group)


def plain(_: int, given: object) -> LabelledWords | None:
    """A list of words."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(word, str) for word in given):
        return None
    return LabelledWords(words=tuple(given), labels=())


# Scores: what can be summed over examples, and the score of a sum


@dataclass(frozen=True)
class WordScore:
    """Accuracy, or the mean over labels of each label's F1, of all words together."""

    name: str
    labels: tuple[str, ...]

    def statistics(self, predicted: Sequence[tuple[str, ...]], gold: Sequence[tuple[str, ...]]) -> NDArray[np.float64]:
        """Shape: (n_examples, 3 * n_labels), for each label how often it is right, predicted and gold."""
        check_paired(predicted, gold)
        return np.array(
            [
                [
                    count
                    for label in self.labels
                    for count in (
                        sum(label == ours == theirs for ours, theirs in zip(found, right, strict=True)),
                        found.count(label),
                        right.count(label),
                    )
                ]
                for found, right in zip(predicted, gold, strict=True)
            ],
            dtype=np.float64,
        )

    def score(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """From 0 to 100. Shape: (..., 3 * n_labels) -> (...)."""
        counts = sums.reshape(*sums.shape[:-1], len(self.labels), 3)
        if self.name == "accuracy":
            return 100 * ratio(counts[..., 0].sum(axis=-1), counts[..., 2].sum(axis=-1))
        return 100 * ratio(f1(counts).sum(axis=-1), counts.any(axis=-1).sum(axis=-1))


def scored(name: str, head: HeadFields) -> TaskMetric[tuple[str, ...], LabelledWords]:
    """A score of a head's predictions."""
    return TaskMetric(WordScore(name, head.labels), tuple, lambda example: example.labels)


# The upper half: token ids, head, loss and answers


class WordLabels:
    """Each word's first token decides."""

    def __init__(self, reader: TextReader, head: HeadConfig, *, max_length: int) -> None:
        self._reader, self._head, self._max_length = reader, head, max_length

    @staticmethod
    def module(head: HeadConfig, hidden_width: int) -> TokenHead:
        """One linear layer on every token."""
        return TokenHead(hidden_width=hidden_width, n_outputs=len(head.labels), dropout=head.dropout)

    def items(self, examples: Sequence[Example]) -> list[Item]:
        """One row each, with the place of each word's first token."""
        given = of_type(LabelledWords, examples)
        rows = self._reader.tokenize_words([example.words for example in given], max_length=self._max_length)
        return [
            Item(
                number,
                (as_ids(ids),),
                target=tuple(label_number(self._head, label) for label in example.labels[: len(places)]),
                places=as_ids(places),
                language=example.language,
                cut=len(places) < len(example.words),
            )
            for number, (example, (ids, places)) in enumerate(zip(given, rows, strict=True))
        ]

    def labels(self, items: Sequence[Item], seq: int) -> Tensor:
        """Shape: (len(items), seq), with the ignored number where no word begins."""
        labels = np.full((len(items), seq), IGNORED, dtype=np.int64)
        for number, item in enumerate(items):
            labels[number, item.places] = item.target
        return torch.from_numpy(labels)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy over words. Shape: outputs (batch, seq, n_labels)."""
        return F.cross_entropy(outputs.flatten(0, 1), batch.require_labels().flatten(), ignore_index=IGNORED)

    def predictions(
        self, examples: Sequence[Example], items: Sequence[Item], outputs: Sequence[Tensor]
    ) -> list[tuple[str, ...]]:
        """A label for each word. Shape: outputs, for each item (1, seq, n_labels)."""
        found = []
        for example, item, output in zip(of_type(LabelledWords, examples), items, outputs, strict=True):
            places = [] if item.places is None else item.places.tolist()
            read_words = [self._head.labels[int(output[0, place].argmax())] for place in places]
            found.append((*read_words, *[UNREAD] * (len(example.words) - len(read_words))))
        return found


# All of it, in one row

WORD_LABELS = TaskType(
    name="word_labels",
    example=LabelledWords,
    columns={"words": ("words", "tokens"), "labels": ("word_labels", "upos", "tags")},
    from_lines=True,
    make=read,
    plain=plain,
    plain_form="a list of words",
    of_line=str.split,
    texts=("words",),
    read_as=lambda example: [" ".join(example.words)],
    labels=("labels",),
    blank={"labels": ()},
    least_labels=2,
    metrics={
        "accuracy": lambda head, *_: scored("accuracy", head),
        "macro F1": lambda head, *_: scored("macro F1", head),
    },
    default_metrics=("accuracy", "macro F1"),
    tensors=token_head(one_per_label),
    upper=lambda: WordLabels,
)

TASK_TYPES.register(WORD_LABELS)
