"""Words that a text and its translation spell alike: names, numbers, loan words."""

from collections.abc import Iterator, Sequence

from adaptkit.backbones import Backbone, word_starts

_LEAST_LETTERS = 3
"""Shorter words are alike by chance, such as a preposition here and an article there."""


class SharedWords:
    """Finds words by the pieces of a backbone's tokenizer; what has neither letter nor digit parts words.

    A word counts that has a digit, or three letters.
    """

    def __init__(self, backbone: Backbone) -> None:
        tokenizer = backbone.tokenizer
        self._pieces: list[str] = list(tokenizer.convert_ids_to_tokens(list(range(len(tokenizer)))))
        self._starts = word_starts(self._pieces)
        self._special = frozenset(tokenizer.all_special_ids)
        self._opening = backbone.prefix_length

    def in_both(self, ids: Sequence[int], translation: Sequence[int]) -> list[int]:
        """1 for each token of a word that the translation has too, else 0; for prefix and special tokens 0.

        Shape: ids and result (n_tokens), translation (n_tokens of its own).
        """
        theirs = {word for _, word in self._words(translation)}
        shared = [0] * len(ids)
        for start, word in self._words(ids):
            if word in theirs:
                shared[start : start + len(word)] = [1] * len(word)
        return shared

    def _words(self, ids: Sequence[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The words that count, each with the place of its first token."""
        start = self._opening
        for place in range(self._opening, len(ids) + 1):
            ends = place == len(ids) or self._parts(ids[place])
            if (ends or self._starts[ids[place]]) and start < place:
                if self._counts(ids[start:place]):
                    yield start, tuple(ids[start:place])
                start = place
            if ends:
                start = place + 1

    def _parts(self, token: int) -> bool:
        # What is above the vocabulary is a piece that an adapter brings, and the frozen backbone reads nothing there.
        if token in self._special or token >= len(self._pieces):
            return True
        return not any(map(str.isalnum, self._pieces[token]))

    def _counts(self, word: Sequence[int]) -> bool:
        letters = [letter for token in word for letter in self._pieces[token] if letter.isalnum()]
        return len(letters) >= _LEAST_LETTERS or any(map(str.isdigit, letters))
