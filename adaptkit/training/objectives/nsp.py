"""Next-sentence prediction: whether the second text of a row follows the first one, beside masked tokens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from random import Random
from statistics import mode
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.data.sentence import Sentence
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import ConfigError
from adaptkit.heads.batch import Batch
from adaptkit.layers.types import MasterLinear
from adaptkit.objectives import Nsp
from adaptkit.task_types import IGNORED
from adaptkit.terminal.asking import as_typed
from adaptkit.training.data import TrainingData
from adaptkit.training.objectives.mlm import MaskedObjective, MaskedTraining
from adaptkit.training.tokenized_text import TokenizedText

STRANGERS, NEIGHBOURS = 0, 1


class NextSentenceObjective(nn.Module):
    """The masked objective, and cross-entropy of whether a row's second text follows its first.

    That is told from the state of the row's first token, through a small trained transform. Rows of one text alone have
    the label `IGNORED`, and pay for their masked tokens only.
    """

    def __init__(self, masked: MaskedObjective, *, hidden_width: int, weight: float = 1.0) -> None:
        super().__init__()
        self.blocks: tuple[int, ...] = ()
        self.masked = masked
        self.weight = weight
        self.transform = MasterLinear(hidden_width, hidden_width)
        self.tell = MasterLinear(hidden_width, 2)

    def prepare(self, batch: Batch) -> Batch:
        """Mask tokens."""
        return self.masked.prepare(batch)

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:
        """The loss. Shape: hidden (batch, seq, hidden_width), result ()."""
        return self.measures(hidden, batch)["loss"]

    def measures(self, hidden: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The loss, and what of it is that of masked tokens (`token_loss`) and of next sentences (`next_loss`)."""
        measures = self.masked.measures(hidden, batch)
        next_loss = self._next_loss(hidden[:, 0], batch)
        return {**measures, "loss": measures["loss"] + self.weight * next_loss, "next_loss": next_loss}

    def _next_loss(self, first: Tensor, batch: Batch) -> Tensor:
        if batch.row_labels is None:
            raise ConfigError("next-sentence prediction needs labels of rows in the batch.")
        scores = self.tell(torch.tanh(self.transform(first))).float()
        n_labels = (batch.row_labels != IGNORED).sum().clamp(min=1)
        return F.cross_entropy(scores, batch.row_labels, ignore_index=IGNORED, reduction="sum") / n_labels


class NextSentenceTraining(MaskedTraining[Nsp]):
    """Rows of two sentences and the loss on them; what is masked, and how, is as of masked language modelling."""

    def data(self, text: TokenizedText) -> TrainingData:
        """Neighbours in a document, strangers from two, and sentences alone, each with its anchor.

        Raises:
            ConfigError: The text has no two documents of several sentences.
        """
        rows = paired(list(text.sentences()), seed=text.seed)
        n_of = Counter(row.label for row in rows)
        if not (n_of[NEIGHBOURS] and n_of[STRANGERS]):
            raise ConfigError(
                "next-sentence prediction needs text in documents of several sentences, and this has no two of them. "
                "An empty line ends a document of a plain text file; else each row or item is one, with its sentences "
                f"on lines of their own. Give such text, or {as_typed(objective='mlm')}."
            )
        text.note(
            f"{n_of[NEIGHBOURS]:,} pairs of neighbouring sentences, {n_of[STRANGERS]:,} of sentences from two "
            f"documents, {n_of[IGNORED]:,} sentences alone"
        )
        reader = text.reader or self.model.backbone
        ids = reader.tokenize_pairs([(row.first, row.second) for row in rows], max_length=text.max_length)
        mixture = text.mixture and text.mixture.with_parts([row.part for row in rows])
        data = super().data(replace(text, tokens=TokenStore(ids), mixture=mixture))
        return replace(data, row_labels=torch.tensor([row.label for row in rows]))

    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> NextSentenceObjective:
        """The masked objective, and that of next sentences."""
        backbone = self.model.backbone
        return NextSentenceObjective(
            self.masked(layers, data, dtype),
            hidden_width=backbone.shape.hidden_width,
            weight=self.options.next_weight,
        ).to(backbone.device)


class Pairing(NamedTuple):
    """Two sentences of a row, or one, and whether they are neighbours: `NEIGHBOURS`, `STRANGERS` or `IGNORED`.

    `part` is the source of the first, in a mix.
    """

    first: str
    second: str | None
    label: int
    part: int = 0


def paired(sentences: Sequence[Sentence], *, seed: int) -> list[Pairing]:
    """Each sentence in one row: every second one beside the one that follows it, and half of these rows exchanged.

    What is exchanged comes from another document. Where one document is most of the text, less than half is.
    """
    pairs: list[tuple[Sentence, Sentence]] = []
    alone: list[Sentence] = []
    for _, document in groupby(sentences, key=lambda sentence: sentence.document):
        members = list(document)
        pairs += zip(members[::2], members[1::2], strict=False)
        alone += members[len(members) // 2 * 2 :]
    exchanged = _exchanged([first.document for first, _ in pairs], seed)
    # As far as the longest run of one document, so that no sentence meets its own.
    step = max(Counter(pairs[row][0].document for row in exchanged).values(), default=0)
    seconds = {row: pairs[other][1] for row, other in zip(exchanged, exchanged[step:] + exchanged[:step], strict=True)}
    return [
        *(
            Pairing(
                first.text, seconds.get(row, follower).text, STRANGERS if row in seconds else NEIGHBOURS, first.part
            )
            for row, (first, follower) in enumerate(pairs)
        ),
        *(Pairing(sentence.text, None, IGNORED, sentence.part) for sentence in alone),
    ]


def _exchanged(documents: Sequence[int], seed: int) -> list[int]:
    """Half of the rows, and of one document no more than of all others."""
    drawn = Random(seed).sample(range(len(documents)), len(documents) // 2)  # noqa: S311 - nothing secret
    largest = mode(documents[row] for row in drawn) if drawn else None
    own = [row for row in drawn if documents[row] == largest]
    others = [row for row in drawn if documents[row] != largest]
    return sorted(others + own[: len(others)])
