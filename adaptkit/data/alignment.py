"""Words that go together in translations, found from pairs of sentences alone."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from adaptkit.data.lexicon import Word, as_looked_up, read_words
from adaptkit.data.spread import spread

Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]

_ROUNDS = 6
_PULL = 4.0
"""How much more probable words are to go together that stand at the same place of their sentences."""
_MOST_WORDS = 80
"""Sentences of more are left out: they cost most and tell least."""
_MOST_PAIRS = 50_000
_MOST_COUPLES = 25_000_000
"""Words beside words of their translations: they take up to about 70 bytes each."""
_DIGITS = 6
"""Scores that are alike to so many are equal, so that every machine keeps the same of them."""
_LEAST_COUNT = 0.3


class Link(NamedTuple):
    """A word, the one of its translation that it goes together with best, and how surely: 1 is always and only."""

    word: str
    translation: str
    score: float


class Linked(NamedTuple):
    """The best links of words, and how many pairs they are from."""

    links: list[Link]
    n_read: int


class PlacedLink(NamedTuple):
    """The place of a word in its sentence, that of its word in the translation, and how surely they go together."""

    ours: int
    theirs: int
    score: float


class LinkedPair(NamedTuple):
    """The links within the pair of this number, each word in one at most, and both sides cut into words."""

    number: int
    ours: Sequence[str]
    theirs: Sequence[str]
    links: list[PlacedLink]


def linked_words(pairs: Sequence[tuple[str, str]]) -> Linked:
    """The best translation of each word of sentences, from pairs of a sentence and its translation.

    Two models of words alone (the first of Brown et al. 1993, aclanthology.org/J93-2003, that prefers the diagonal as
    in Dyer et al. 2013, aclanthology.org/N13-1073), one for each direction, are fitted by expectation maximisation. The
    score of two words is the geometric mean of the probabilities of each given the other. Of more than 50,000 pairs,
    or 25 million words beside each other (50,000 pairs of 22 words each), some that are spread over all are read.
    """
    sides = _Sides.of(pairs, read_words)
    if not sides.pairs:
        return Linked([], 0)
    laid = _Laid.of(sides)
    given_ours, count_ours = laid.fitted(laid.theirs_at, laid.ours, len(sides.our_words))
    given_theirs, count_theirs = laid.fitted(laid.ours_at, laid.theirs, len(sides.their_words))
    scores, counts = np.sqrt(given_ours * given_theirs).round(_DIGITS), np.sqrt(count_ours * count_theirs)
    # Number 0 is no word: what a word goes together with that the other sentence does not say.
    real = (laid.ours > 0) & (laid.theirs > 0) & (counts >= _LEAST_COUNT)
    best: dict[int, Link] = {}
    for place in np.flatnonzero(real)[np.argsort(-scores[real], kind="stable")].tolist():
        ours = int(laid.ours[place])
        if ours not in best:
            translation = sides.their_words[laid.theirs[place]]
            best[ours] = Link(sides.our_words[ours], translation, float(scores[place]))
    return Linked(list(best.values()), len(sides.pairs))


def linked_places(pairs: Sequence[tuple[str, str]], cut: Callable[[str], Sequence[str]]) -> Iterator[LinkedPair]:
    """Which words go together in each pair of a sentence and its translation, which `cut` cuts into words.

    By the models of `linked_words`. The score of two words is the geometric mean of the probabilities that each goes
    together with the other, rather than with any other word of the sentence or with none; they are linked where none
    that one of them could be linked with scores higher. Pairs that `linked_words` would not read are left out.
    """

    def words_in(text: str) -> list[Word]:
        return [Word(word, as_looked_up(word)) for word in cut(text)]

    sides = _Sides.of(pairs, words_in)
    if not sides.pairs:
        return
    laid = _Laid.of(sides)
    ours, _ = laid.fitted(laid.ours_at, laid.theirs, len(sides.their_words))
    theirs, _ = laid.fitted(laid.theirs_at, laid.ours, len(sides.our_words))
    at = 0
    for number, (words, others) in zip(sides.numbers, sides.pairs, strict=True):
        shape = len(words), len(others)
        here = slice(at, at + len(words) * len(others))
        couple, near = laid.couple[here].reshape(shape), laid.near[here].reshape(shape)
        scores = np.sqrt(_shares(ours[couple] * near, 1) * _shares(theirs[couple] * near, 0)).round(_DIGITS)
        text, translation = pairs[number]
        yield LinkedPair(number, cut(text), cut(translation), list(_each_others_best(scores[1:, 1:])))
        at = here.stop


def _shares(weights: Floats, axis: int) -> Floats:
    shares: Floats = weights / weights.sum(axis=axis, keepdims=True)
    return shares


def _each_others_best(scores: Floats) -> Iterator[PlacedLink]:
    best, back = scores.argmax(axis=1), scores.argmax(axis=0)
    for word, place in enumerate(best.tolist()):
        if back[place] == word:
            yield PlacedLink(word, place, float(scores[word, place]))


@dataclass(frozen=True)
class _Sides:
    """Words of both sides by their numbers, from 1 on; pairs are those numbers, with 0 before them, for no word.

    `numbers` are those of the pairs among all that were given.
    """

    our_words: Sequence[str]
    their_words: Sequence[str]
    pairs: Sequence[tuple[list[int], list[int]]]
    numbers: Sequence[int]

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]], cut: Callable[[str], Sequence[Word]]) -> "_Sides":
        ours, theirs = _Numbers(), _Numbers()
        found: list[tuple[list[int], list[int]]] = []
        numbers: list[int] = []
        for number in spread(len(pairs), _MOST_PAIRS):
            words, others = map(cut, pairs[number])
            if 0 < len(words) <= _MOST_WORDS and 0 < len(others) <= _MOST_WORDS:
                found.append((ours.of(words), theirs.of(others)))
                numbers.append(number)
        chosen = _fitting(found)
        return cls(ours.keys(), theirs.written(), [found[n] for n in chosen], [numbers[n] for n in chosen])


def _fitting(pairs: list[tuple[list[int], list[int]]]) -> Sequence[int]:
    """The numbers of as many of them, spread over all, as memory holds beside each other."""
    chosen: Sequence[int] = range(len(pairs))
    while (n_couples := sum(len(pairs[number][0]) * len(pairs[number][1]) for number in chosen)) > _MOST_COUPLES:
        chosen = spread(len(pairs), min(len(chosen) * _MOST_COUPLES // n_couples, len(chosen) - 1))
    return chosen


class _Numbers:
    """Numbers of words, and how each is written most often."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._written: dict[str, Counter[str]] = {}

    def of(self, words: Sequence[Word]) -> list[int]:
        for word in words:
            self._written.setdefault(word.key, Counter())[word.text] += 1
        return [0, *(self._numbers.setdefault(word.key, len(self._numbers) + 1) for word in words)]

    def keys(self) -> list[str]:
        return ["", *self._numbers]

    def written(self) -> list[str]:
        return ["", *(self._written[key].most_common(1)[0][0] for key in self._numbers)]


@dataclass(frozen=True)
class _Laid:
    """Every word of a sentence beside every one of its translation.

    `ours` and `theirs` are the words of each different couple. Of each two words beside each other, `couple` is the
    number of theirs, `near` how much their places speak for them, and `ours_at` and `theirs_at` number the words in
    their running texts.
    """

    ours: Ints
    theirs: Ints
    couple: Ints
    near: NDArray[np.float32]
    ours_at: Ints
    theirs_at: Ints

    @classmethod
    def of(cls, sides: _Sides) -> "_Laid":
        sizes = [(len(words), len(others)) for words, others in sides.pairs]
        n_couples = sum(a * b for a, b in sizes)
        keys, near = np.empty(n_couples, np.int64), np.empty(n_couples, np.float32)
        ours_at, theirs_at = np.empty(n_couples, np.int32), np.empty(n_couples, np.int32)
        at = n_ours = n_theirs = 0
        for (words, others), (a, b) in zip(sides.pairs, sizes, strict=True):
            here = slice(at, at + a * b)
            apart = np.abs(np.linspace(0, 1, a)[:, None] - np.linspace(0, 1, b)[None])
            near[here] = np.exp(-_PULL * apart).ravel()
            keys[here] = np.add.outer(np.array(words, np.int64) * len(sides.their_words), others).ravel()
            ours_at[here] = np.repeat(np.arange(n_ours, n_ours + a), b)
            theirs_at[here] = np.tile(np.arange(n_theirs, n_theirs + b), a)
            at, n_ours, n_theirs = here.stop, n_ours + a, n_theirs + b
        couples, couple = np.unique(keys, return_inverse=True)
        ours, theirs = np.divmod(couples, len(sides.their_words))
        return cls(ours.astype(np.int32), theirs.astype(np.int32), couple.astype(np.int32), near, ours_at, theirs_at)

    def fitted(self, chosen_at: Ints, given: Ints, n_given: int) -> tuple[Floats, Floats]:
        """The probability of each couple's other word given this one, and how often they are expected to go together.

        Every place of `chosen_at` goes together with one word of the other sentence.
        """
        probable: Floats = np.ones(len(given))
        expected = probable
        for _ in range(_ROUNDS):
            shares = probable[self.couple]
            shares *= self.near
            shares /= np.bincount(chosen_at, shares)[chosen_at]
            expected = np.asarray(np.bincount(self.couple, shares, len(given)), np.float64)
            probable = expected / np.bincount(given, expected, n_given)[given]
        return probable, expected
