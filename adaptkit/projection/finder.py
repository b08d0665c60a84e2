"""Entities of translations, and their places in the sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

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
_MISSED = "both sides have a word with a capital letter that is in no entity"
_TOO_LONG = "longer than the backbone reads"


class SentencePair(NamedTuple):
    """A sentence and its translation, as words."""

    translation: tuple[str, ...]
    sentence: tuple[str, ...]


Told: TypeAlias = tuple[SentencePair, Sequence[Span]]
"""A pair, and the entities of its translation."""


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
        self.n_entities = 0
        """Entities that the task adapter has found in translations so far, those in small letters counted."""

    def look(self, left_out: Counter[str]) -> Iterator[Looked]:
        """Each pair whose entities all have a place."""
        for start in range(0, len(self._pairs), _AT_ONCE):
            pairs = self._pairs[start : start + _AT_ONCE]
            yield from self._placed(list(self._told(pairs, left_out)), left_out)

    def _told(self, pairs: Sequence[SentencePair], left_out: Counter[str]) -> Iterator[Told]:
        """The entities of each translation that is read whole, and in which no name is missed."""
        answers = self._model.predict(
            [list(pair.translation) for pair in pairs], stack=self._stack, batch_size=self._batch_size
        )
        for pair, answer in zip(pairs, answers, strict=True):
            told = spans_of(answer.tags)
            self.n_entities += len(told)
            spans = [span for span in told if self._is_name(span, pair.translation)]
            if answer.n_read < len(pair.translation):
                left_out[_TOO_LONG] += 1
            elif any(untold_copies(pair.translation, pair.sentence, spans)):
                left_out[_MISSED] += 1
            else:
                yield pair, spans

    def _is_name(self, span: Span, words: Sequence[str]) -> bool:
        """Whether an entity looks like one: a capital is in it, where there are capitals, or that is not asked for."""
        text = " ".join(words[span.start : span.end])
        return self._small_letters or not is_in_small_letters(text)

    def _placed(self, told: Sequence[Told], left_out: Counter[str]) -> Iterator[Looked]:
        places = [[self._by_letters(span, pair) for span in spans] for pair, spans in told]
        open_ones = [number for number, found in enumerate(places) if not all(found)]
        links_of_each = self._links([told[number][0] for number in open_ones])
        for number, links in zip(open_ones, links_of_each, strict=True):
            pair, spans = told[number]
            by_letters = zip(spans, places[number], strict=True)
            places[number] = [found or _linked(span, pair, links) for span, found in by_letters]
        for (pair, spans), found in zip(told, places, strict=True):
            placed = without_overlaps(found) if all(found) else None
            if placed is None:
                left_out[_OVERLAP if all(found) else _NOT_FOUND] += 1
            else:
                yield Looked(pair, tags_of(spans, len(pair.translation)), placed)

    def _by_letters(self, span: Span, pair: SentencePair) -> list[Placed]:
        """The places of an entity as a copy, else by its name in the gazetteer."""
        found = copies_of(span, *pair)
        return found or ([] if self._gazetteer is None else self._gazetteer.places_of(span, *pair))

    def _links(self, pairs: Sequence[SentencePair]) -> Iterator[Links]:
        """Which words of each pair are linked by their states."""
        if not pairs:
            return
        for pair, one, other in zip(pairs, *self._vectors(pairs), strict=True):
            yield links_of(*pair, cosines(one, other), least=self._least)

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
