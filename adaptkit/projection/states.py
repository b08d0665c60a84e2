"""Words of a sentence linked with words of its translation, by how near the frozen backbone's states of them are."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.data.batching import chunks
from adaptkit.model import AdaptedModel
from adaptkit.projection.copies import CONFIDENCES, likeness, plain
from adaptkit.projection.placing import Links

Sentences = Sequence[Sequence[str]]


class WordStates:
    """Vectors of words: the mean of their tokens' states at two thirds of the depth, seen from a centre.

    All states of a backbone point in nearly one direction; from the centre of the words of a language they do not.
    There, a word and its translation are each other's nearest (Jalili Sabet et al. 2020, arXiv:2004.08728).
    """

    def __init__(self, model: AdaptedModel, *, batch_size: int) -> None:
        self._model = model
        self._batch_size = batch_size
        self._blocks = (max(0, round(model.backbone.shape.n_blocks * 2 / 3) - 1),)

    def centre(self, sentences: Sentences) -> Tensor:
        """The mean of the vectors of all their words. Shape: (hidden_width), float32 on the CPU."""
        return torch.cat(self.of(sentences)).mean(dim=0)

    def of(self, sentences: Sentences) -> list[Tensor]:
        """The vectors of each sentence's words; words beyond what the backbone reads have none.

        Shape: for each sentence (n_words_read, hidden_width), float32 on the CPU.

        Raises:
            OutOfMemory: The memory does not hold a batch.
        """
        backbone = self._model.backbone
        rows = backbone.tokenize_words(sentences)
        found = [torch.empty(0, backbone.shape.hidden_width)] * len(rows)
        by_length = sorted(range(len(rows)), key=lambda number: len(rows[number][0]))
        ways = f"Give a smaller batch_size (it is {self._batch_size})."
        with torch.inference_mode(), memory_errors_told("this batch", backbone.device, ways):
            for numbers in chunks(by_length, self._batch_size):
                ids, mask = backbone.pad([rows[number][0] for number in numbers])
                states = self._model(ids, mask, blocks=self._blocks, stacks=[None] * len(numbers)).float().cpu()
                for number, of_row in zip(numbers, states, strict=True):
                    found[number] = _of_words(of_row[: len(rows[number][0])], rows[number][1], self._n_closing)
        return found

    @property
    def _n_closing(self) -> int:
        """How many tokens close every input."""
        backbone = self._model.backbone
        return backbone.max_length - backbone.room(backbone.max_length) - backbone.prefix_length


def links_of(ours: Sequence[str], theirs: Sequence[str], near: NDArray[np.float32], *, least: float) -> Links:
    """The words of one sentence that are linked with one of the other: copies, and each other's nearest.

    Shape: near (n_words of ours, n_words of theirs), the cosines of their vectors; words that were not read are not
    among them. `least` is the cosine from which nearest words are linked.
    """
    links: dict[int, tuple[int, float]] = {}
    if near.size:
        best, back = near.argmax(axis=1), near.argmax(axis=0)
        links = {
            word: (int(place), float(near[word, place]))
            for word, place in enumerate(best)
            if back[place] == word and near[word, place] >= least and plain(ours[word]) and plain(theirs[place])
        }
    return {**links, **_copied(ours, theirs)}


def cosines(ours: Tensor, theirs: Tensor) -> NDArray[np.float32]:
    """The cosine of each two. Shape: (n, width) and (m, width) to (n, m)."""
    one, other = (torch.nn.functional.normalize(vectors, dim=-1) for vectors in (ours, theirs))
    return (one @ other.T).numpy()


def _copied(ours: Sequence[str], theirs: Sequence[str]) -> dict[int, tuple[int, float]]:
    """Words that each have one copy."""
    pairs = [
        (word, place, like[0])
        for word, own in enumerate(ours)
        for place, other in enumerate(theirs)
        if len(plain(own)) > 1 and (like := likeness(own, other)) is not None and like[0] >= CONFIDENCES["affix"]
    ]
    words, places = [word for word, _, _ in pairs], [place for _, place, _ in pairs]
    return {word: (place, sure) for word, place, sure in pairs if words.count(word) == 1 and places.count(place) == 1}


def _of_words(states: Tensor, places: Sequence[int], n_closing: int) -> Tensor:
    """The mean over each word's tokens. Shape: states (seq, width), result (len(places), width)."""
    if not places:
        return states[:0]
    ends = [*places[1:], max(len(states) - n_closing, places[-1] + 1)]
    return torch.stack([states[at : max(end, at + 1)].mean(dim=0) for at, end in zip(places, ends, strict=True)])
