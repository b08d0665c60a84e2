"""Texts as token ids: with prefix and special tokens, and cut to what a network reads."""

import copy
from collections.abc import Sequence
from functools import cached_property
from typing import Self

from tokenizers import Encoding
from transformers import BatchEncoding, PreTrainedTokenizerBase

from adaptkit.backbones.windows import Window, windows_of
from adaptkit.data.read_words import PlacedPiece
from adaptkit.errors import ConfigError


class TextReader:
    """What a tokenizer makes of texts for a network of some length. `text_prefix` stands before every text."""

    name: str
    text_prefix: str
    tokenizer: PreTrainedTokenizerBase

    @property
    def max_length(self) -> int:
        """The most tokens in one input, special tokens counted."""
        raise NotImplementedError

    def behind(self, text_prefix: str) -> Self:
        """The same, with another text before every text; itself where that stands there."""
        if text_prefix == self.text_prefix:
            return self
        other = copy.copy(self)
        other.text_prefix = text_prefix
        # What was worked out for the old one.
        for name in ("prefix_length", "_around_every_input"):
            vars(other).pop(name, None)
        return other

    def special_id(self, role: str) -> int:
        """The id of a special token: `pad`, `mask`, `unk`, `cls` or `sep`.

        Raises:
            ConfigError: The tokenizer has no such token.
        """
        value: int | None = getattr(self.tokenizer, f"{role}_token_id")
        if value is None:
            raise ConfigError(f"the tokenizer of {self.name} has no {role} token, which this needs.")
        return value

    def tokenize(self, texts: Sequence[str], *, max_length: int | None = None) -> list[list[int]]:
        """Token ids of texts, with prefix and special tokens, cut at `max_length` tokens."""
        return self.tokenize_pairs([(text, None) for text in texts], max_length=max_length)

    def tokenize_openings(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of texts that go on: with what opens an input, whole, and without what closes it."""
        if not texts:
            return []
        asked = [self.text_prefix + text for text in texts]
        # Not verbose: what is too long is refused by whoever asks.
        rows: list[list[int]] = self.tokenizer(asked, return_attention_mask=False, verbose=False)["input_ids"]
        n_closing = len(self._around_every_input[1])
        return [row[: len(row) - n_closing] or [self.special_id("eos")] for row in rows]

    def tokenize_pairs(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[list[int]]:
        """Token ids of texts that may have a second text behind the first, the longer one cut where it must be."""
        return [ids for ids, _ in self.tokenize_cutting(pairs, max_length=max_length)]

    def tokenize_cutting(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[tuple[list[int], bool]]:
        """As `tokenize_pairs`, and of each row whether it was cut."""
        if not pairs:
            return []
        encoded = self._encoded_pairs(pairs, max_length)
        rows: list[list[int]] = encoded["input_ids"]
        cut = self._cut(encoded, max_length)
        # A tokenizer without special tokens gives nothing for an empty text, and the backbone must read something.
        return [(row or [self.special_id("eos")], was_cut) for row, was_cut in zip(rows, cut, strict=True)]

    def _cut(self, encoded: BatchEncoding, max_length: int | None) -> list[bool]:
        """Of each row, whether it was cut."""
        if encoded.encodings is not None:
            return [bool(encoding.overflowing) for encoding in encoded.encodings]
        # A tokenizer in Python does not say: one that fills the room may have been cut.
        limit = min(max_length or self.max_length, self.max_length)
        return [len(row) >= limit for row in encoded["input_ids"]]

    def tokenize_two(
        self, pairs: Sequence[tuple[str, str]], *, max_length: int | None = None
    ) -> list[tuple[list[int], int]]:
        """Token ids of two texts a row, and how many come before the second text's own; 0 where it was cut away."""
        if not pairs:
            return []
        encoded = self._encoded_pairs(pairs, max_length)
        parts = [encoded.sequence_ids(number) for number in range(len(pairs))]
        return [(ids, part.index(1) if 1 in part else 0) for ids, part in zip(encoded["input_ids"], parts, strict=True)]

    def _encoded_pairs(self, pairs: Sequence[tuple[str, str | None]], max_length: int | None) -> BatchEncoding:
        limit = min(max_length or self.max_length, self.max_length)
        encoded: BatchEncoding = self.tokenizer(
            [
                (self.text_prefix + first, second) if second is not None else self.text_prefix + first
                for first, second in pairs
            ],
            truncation=True,
            max_length=limit,
            return_attention_mask=False,
        )
        return encoded

    def tokenize_words(
        self, sentences: Sequence[Sequence[str]], *, max_length: int | None = None
    ) -> list[tuple[list[int], list[int]]]:
        """Token ids of sentences that are cut into words, and the place of each word's first token.

        Words beyond `max_length` tokens have no place. A word that the tokenizer has no token for has that of the next.
        """
        encoded, n_prefix = self._encoded_words(sentences, max_length)
        rows: list[list[int]] = encoded["input_ids"]
        return [(row, _first_places(encoded.word_ids(number), n_prefix)) for number, row in enumerate(rows)]

    def _encoded_words(self, sentences: Sequence[Sequence[str]], max_length: int | None) -> tuple[BatchEncoding, int]:
        """Sentences as the tokenizer gives them, and how many words stand before each."""
        prefix = self.text_prefix.split()
        encoded: BatchEncoding = self.tokenizer(
            [[*prefix, *sentence] for sentence in sentences],
            is_split_into_words=True,
            truncation=True,
            max_length=min(max_length or self.max_length, self.max_length),
            return_attention_mask=False,
        )
        return encoded, len(prefix)

    def tokenize_windows(
        self, questions: Sequence[str], contexts: Sequence[str], *, max_length: int, stride: int, whole: int = 0
    ) -> list[Window]:
        """Questions with their contexts, in as many windows as each context needs, overlapping by `stride` tokens.

        A question is cut at half of the window, and the overlap at a quarter of what its question leaves; or at half of
        it, where it takes more for every piece of `whole` tokens to lie in one window.
        """
        limit = min(max_length, self.max_length)
        asked = [self.text_prefix + question for question in questions]
        return windows_of(self.tokenizer, asked, contexts, limit=limit, stride=stride, whole=whole)

    def places_of_pairs(
        self, pairs: Sequence[tuple[str, str | None]], *, max_length: int | None = None
    ) -> list[list[PlacedPiece | None]]:
        """For each token of `tokenize_pairs` the text and the characters that it stands for; None for any other.

        Raises:
            ConfigError: A tokenizer that does not say.
        """
        encodings = self._require_places(self._encoded_pairs(pairs, max_length)) if pairs else []
        rows = [list(zip(each.sequence_ids, each.offsets, strict=True)) for each in encodings]
        # As `tokenize_cutting`: the token that stands for nothing at all.
        return [[self._placed(side, place) for side, place in row] or [None] for row in rows]

    def places_of_words(self, sentence: Sequence[str], *, max_length: int | None = None) -> list[int | None]:
        """For each token of `tokenize_words` the number of the word that it is of; None for any other."""
        encoded, n_prefix = self._encoded_words([sentence], max_length)
        numbers: list[int | None] = encoded.word_ids(0)
        return [None if number is None or number < n_prefix else number - n_prefix for number in numbers]

    def places_of_window(self, window: Window) -> list[PlacedPiece | None]:
        """For each token of a window the text and the characters that it stands for; None for any other."""
        second = [PlacedPiece(1, (start, end)) if start >= 0 else None for start, end in window.places.tolist()]
        first = [self._placed(0 if start >= 0 else None, (start, end)) for start, end in window.first_places.tolist()]
        return [there or here for there, here in zip(second, first, strict=True)]

    def _placed(self, side: int | None, place: tuple[int, int]) -> PlacedPiece | None:
        """Characters of a text as it was given, without what stands before it."""
        if side is None:
            return None
        start, end = place
        before = len(self.text_prefix) if side == 0 else 0
        return PlacedPiece(side, (max(start - before, 0), end - before)) if end > before else None

    def _require_places(self, encoded: BatchEncoding) -> Sequence[Encoding]:
        if encoded.encodings is None:
            raise ConfigError(
                f"the tokenizer of {self.name} is written in Python and does not say where in a text its tokens stand, "
                "which this needs. Take a backbone with a fast one (tokenizer.json)."
            )
        found: Sequence[Encoding] = encoded.encodings
        return found

    @cached_property
    def prefix_length(self) -> int:
        """How many leading tokens of every input are the opening special token and the text prefix."""
        return len(self._around_every_input[0])

    @cached_property
    def _around_every_input(self) -> tuple[list[int], list[int]]:
        """What opens every input, with the text prefix, and what closes it: a token in encoders, mostly none else."""
        whole: list[int] = self.tokenizer("a")["input_ids"]
        bare: list[int] = self.tokenizer("a", add_special_tokens=False)["input_ids"]
        start = next(place for place in range(len(whole)) if whole[place : place + len(bare)] == bare)
        prefix: list[int] = self.tokenizer(self.text_prefix.rstrip())["input_ids"]
        n_opening = len(prefix) - (len(whole) - start - len(bare))
        return prefix[:n_opening], prefix[n_opening:]

    def room(self, max_length: int) -> int:
        """How many tokens of a text of its own an input of at most `max_length` tokens holds."""
        opening, closing = self._around_every_input
        return min(max_length, self.max_length) - len(opening) - len(closing)


def _first_places(word_of_token: Sequence[int | None], n_prefix: int) -> list[int]:
    """The place of each word's first token, without the words of the prefix."""
    places: list[int] = []
    for place, word in enumerate(word_of_token):
        while word is not None and word - n_prefix >= len(places):
            places.append(place)
    return places
