"""Which token ids some languages use: what a trimmed table keeps."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from adaptkit.backbones.fingerprint import tokenizer_hash
from adaptkit.data.tokens import tokenize_lines
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag, scripts_of, usual_scripts

_WORD_MARKS = ("\u2581", "\u0120", "##")


@dataclass(frozen=True)
class Vocabulary:
    """Token ids to keep, ascending, and the tokenizer that gave them.

    Raises:
        ConfigError: No ids.
    """

    ids: NDArray[np.int64]
    tokenizer_sha256: str

    def __post_init__(self) -> None:
        if not len(self.ids):
            raise ConfigError("a vocabulary without token ids keeps nothing; give text with words in it.")

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits that differ where the ids do."""
        return hashlib.sha256(self.ids.tobytes()).hexdigest()[:12]

    def with_ids(self, ids: Iterable[int]) -> "Vocabulary":
        """These ids kept too."""
        more = np.union1d(self.ids, np.fromiter(ids, np.int64))
        return Vocabulary(more, self.tokenizer_sha256)


def vocabulary_in(
    lines: Iterable[str], languages: Sequence[str], tokenizer: PreTrainedTokenizerBase, text_prefix: str
) -> Vocabulary:
    """The tokens of some lines, special and added ones, punctuation and digits, and letters of the languages' scripts.

    With its letters kept, a word that the lines do not have is never wholly unknown.

    Raises:
        UnknownLanguage: A name that is no language.
    """
    scripts = {script for name in languages for script in usual_scripts(canonical_tag(name))}
    # Those of languages, by which an encoder-decoder is told what to write, are added ones, and need not be special.
    used = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    used.update(tokenizer(text_prefix.rstrip())["input_ids"])
    for row in tokenize_lines(lines, lambda batch: _ids(tokenizer, batch)):
        used.update(row)
    used.update(token for token, letter in _letters(tokenizer) if not letter.isalpha() or scripts & scripts_of(letter))
    return Vocabulary(np.array(sorted(used), np.int64), tokenizer_hash(tokenizer))


def letters_of(tokenizer: PreTrainedTokenizerBase, kept: NDArray[np.int64]) -> Callable[[int], Sequence[int]]:
    """For a token id that is not kept: the kept ids of its letters, or the unknown token's.

    Raises:
        ConfigError: The tokenizer has no unknown token (when the function is called).
    """

    @lru_cache(maxsize=16_384)
    def stand_ins(token_id: int) -> tuple[int, ...]:
        unknown: int | None = tokenizer.unk_token_id
        letters: list[int] = [_id(tokenizer, letter) for letter in _unmarked(_piece(tokenizer, token_id))]
        found = tuple(letter for letter in letters if letter != unknown and place_among(kept, letter) is not None)
        if found:
            return found
        if unknown is None:
            raise ConfigError("a token outside the trimmed vocabulary has no letters in it, and there is no unk token.")
        return (unknown,)

    return stand_ins


def place_among(kept: NDArray[np.int64], token_id: int) -> int | None:
    """Where a token id is among kept ones, which ascend; None where it is not."""
    place = int(np.searchsorted(kept, token_id))
    return place if place < len(kept) and int(kept[place]) == token_id else None


def _letters(tokenizer: PreTrainedTokenizerBase) -> Iterator[tuple[int, str]]:
    for piece, token_id in tokenizer.get_vocab().items():
        letter = _unmarked(piece)
        if len(letter) == 1:
            yield token_id, letter


def _unmarked(piece: str) -> str:
    for mark in _WORD_MARKS:
        piece = piece.removeprefix(mark)
    return piece


def _piece(tokenizer: PreTrainedTokenizerBase, token_id: int) -> str:
    piece = tokenizer.convert_ids_to_tokens(token_id)
    return piece if isinstance(piece, str) else ""


def _id(tokenizer: PreTrainedTokenizerBase, piece: str) -> int:
    token_id = tokenizer.convert_tokens_to_ids(piece)
    return token_id if isinstance(token_id, int) else -1


def _ids(tokenizer: PreTrainedTokenizerBase, batch: Sequence[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(list(batch), add_special_tokens=False, return_attention_mask=False, verbose=False)[
        "input_ids"
    ]
    return ids
