"""Entities of translations, and their places in the sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from adaptkit.model import AdaptedModel
from adaptkit.model.stacks import StackLike
from adaptkit.projection.copies import is_in_small_letters
from adaptkit.projection.entities import Span, spans_of, tags_of
from adaptkit.projection.gazetteer import Gazetteer
from adaptkit.projection.placing import Links, Placed, copies_of, linked_place, untold_copies, without_overlaps
from adaptkit.projection.states import WordStates, cosines, links_of

_AT_ONCE = 512
_NOT_FOUND = "an entity was not found in the sentence"
_OVERLAP = "two entities were found at one place"
_MISSED = "both sides have a word in capitals that is in no entity"
_TOO_LONG = "longer than the backbone reads"


class SentencePair(NamedTuple):
    """A sentence and its translation, as words."""

    translation: tuple[str, ...]
    sentence: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """A pair with the entities of its translation, and their places in the sentence; none where one was not found."""

    pair: SentencePair
    tags: tuple[str, ...]
    placed: Sequence[Placed]


class Finder:
    """Finds entities in the translations, and their places in the sentences."""

    def __init__(
        self,
        model: AdaptedModel,
        stack: StackLike,
        pairs: Sequence[SentencePair],
        *,
        least_cosine: float,
        small_letters: bool,
        gazetteer: Gazetteer | None = None,
        batch_size: int,
    ) -> None:
        self._model = model
        self._stack = stack
        self._pairs = [pair for pair in pairs if pair.sentence and pair.translation]
        self._least = least_cosine
        self._small_letters = small_letters
        self._gazetteer = gazetteer
        self._batch_size = batch_size
        self._states = WordStates(model, batch_size=batch_size)
        self._centres: tuple[Tensor, Tensor] | None = None

    def look(self, left_out: Counter[str]) -> Iterator[Looked]:
        """Each pair whose entities all have a place."""
        for start in range(0, len(self._pairs), _AT_ONCE):
            pairs = self._pairs[start : start + _AT_ONCE]
            tags = self._tags_of(pairs, left_out)
            yield from self._placed([(pair, found) for pair, found in zip(pairs, tags, strict=True) if found], left_out)

    def _tags_of(self, pairs: Sequence[SentencePair], left_out: Counter[str]) -> list[tuple[str, ...]]:
        """The tags of the translations; empty where one is not read whole, or a name is missed."""
        found = []
        answers = self._model.predict(
            [list(pair.translation) for pair in pairs], stack=self._stack, batch_size=self._batch_size
        )
        for pair, answer in zip(pairs, answers, strict=True):
            spans = [span for span in spans_of(answer.tags) if self._is_name(span, pair.translation)]
            reason = None
            if answer.n_read < len(pair.translation):
                reason = _TOO_LONG
            elif any(untold_copies(pair.translation, pair.sentence, spans)):
                reason = _MISSED
            left_out.update([reason] if reason else [])
            found.append(() if reason else tags_of(spans, len(pair.translation)))
        return found

    def _is_name(self, span: Span, words: Sequence[str]) -> bool:
        """Whether an entity looks like one: a capital is in it, where there are capitals, or that is not asked for."""
        text = " ".join(words[span.start : span.end])
        return self._small_letters or not is_in_small_letters(text)

    def _placed(self, told: Sequence[tuple[SentencePair, tuple[str, ...]]], left_out: Counter[str]) -> Iterator[Looked]:
        copies = [[self._by_letters(span, pair) for span in spans_of(tags)] for pair, tags in told]
        open_ones = [number for number, found in enumerate(copies) if not all(found)]
        for number, places in self._by_states([told[number] for number in open_ones], open_ones, copies):
            copies[number] = places
        for (pair, tags), found in zip(told, copies, strict=True):
            placed = without_overlaps(found) if all(found) else None
            if placed is None:
                left_out[_OVERLAP if all(found) else _NOT_FOUND] += 1
            else:
                yield Looked(pair, tags, placed)

    def _by_letters(self, span: Span, pair: SentencePair) -> list[Placed]:
        """The places of an entity as a copy, else by its name in the gazetteer."""
        found = copies_of(span, *pair)
        return found or ([] if self._gazetteer is None else self._gazetteer.places_of(span, *pair))

    def _by_states(
        self,
        told: Sequence[tuple[SentencePair, tuple[str, ...]]],
        numbers: Sequence[int],
        copies: Sequence[Sequence[list[Placed]]],
    ) -> Iterator[tuple[int, list[list[Placed]]]]:
        """The places of the entities of each pair, those by states beside copies."""
        if not told:
            return
        ours, theirs = self._vectors([pair for pair, _ in told])
        for (pair, tags), one, other, number in zip(told, ours, theirs, numbers, strict=True):
            links = links_of(*pair, cosines(one, other), least=self._least)
            yield (
                number,
                [
                    found or _linked(span, pair, links)
                    for span, found in zip(spans_of(tags), copies[number], strict=True)
                ],
            )

    def _vectors(self, pairs: Sequence[SentencePair]) -> tuple[list[Tensor], list[Tensor]]:
        sides = [pair.translation for pair in pairs], [pair.sentence for pair in pairs]
        if self._centres is None:
            first = self._pairs[:_AT_ONCE]
            self._centres = (
                self._states.centre([pair.translation for pair in first]),
                self._states.centre([pair.sentence for pair in first]),
            )
        ours, theirs = (
            [vectors - centre for vectors in self._states.of(side)]
            for side, centre in zip(sides, self._centres, strict=True)
        )
        return ours, theirs


def _linked(span: Span, pair: SentencePair, links: Links) -> list[Placed]:
    placed = linked_place(span, *pair, links)
    return [] if placed is None else [placed]
