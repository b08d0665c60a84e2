"""Pieces of text learned by SentencePiece, for what a tokenizer does not know."""

import io
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

from tokenizers import models
from transformers import PreTrainedTokenizerBase

from adaptkit.errors import ConfigError
from adaptkit.methods import PiecesConfig, is_piece
from adaptkit.terminal.asking import as_typed
from adaptkit.version import install_command

_MOST_WORDS = 2_000_000
_LONGEST_WORD = 10_000
"""In bytes; SentencePiece passes longer ones over."""


def learned_pieces(
    lines: Iterable[str], tokenizer: PreTrainedTokenizerBase, *, n_pieces: int, name: str
) -> PiecesConfig:
    """At most `n_pieces` pieces of the words that a tokenizer does not know, with their scores.

    They are learned as unigrams (Kudo 2018, arXiv:1804.10959) from text in the tokenizer's own normal form. Every
    letter that it does not know is one. The same text gives the same pieces.

    Raises:
        ConfigError: SentencePiece is not installed, the tokenizer takes no more pieces, it knows every letter of the
            text, or the text has more unknown letters than pieces.
    """
    require_unigram(tokenizer, name)
    library = _sentencepiece()
    normalizer = tokenizer.backend_tokenizer.normalizer
    read = (line if normalizer is None else normalizer.normalize_str(line) for line in lines)
    words, unknown = _unknown_words(read, tokenizer)
    if not unknown:
        raise ConfigError(
            f"the tokenizer of {name} knows every letter of this text, so there is nothing for pieces of its own to "
            f"read: leave {as_typed(new_pieces=...)} out."
        )
    letters = {letter for word in words for letter in word}
    if n_pieces < len(letters) + 1:
        raise ConfigError(
            f"{as_typed(new_pieces=n_pieces)} is too little: the words with unknown letters have {len(letters):,} "
            f"letters, each of which is a piece. Give at least {len(letters) + 1:,}, and for whole words some "
            "thousands."
        )
    learned = _learned(library, words, n_pieces)
    own = [(piece, score) for piece, score in learned if is_piece(piece) and unknown.intersection(piece)]
    return PiecesConfig(pieces=tuple(piece for piece, _ in own), scores=tuple(min(0.0, score) for _, score in own))


def require_unigram(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Let a tokenizer be of the kind whose pieces have scores.

    Raises:
        ConfigError: It is of another kind.
    """
    engine = getattr(tokenizer, "backend_tokenizer", None)
    if engine is None or not isinstance(engine.model, models.Unigram):
        kind = type(tokenizer if engine is None else engine.model).__name__
        raise ConfigError(
            f"the tokenizer of {name} is of the kind {kind}, whose pieces have no scores, and new ones cannot be put "
            "among them. Take a backbone with a Unigram tokenizer (multilingual-e5, XLM-RoBERTa), or give the text "
            "romanised."
        )


def _unknown_words(lines: Iterable[str], tokenizer: PreTrainedTokenizerBase) -> tuple[list[str], frozenset[str]]:
    """What stands between spaces and has a letter that the tokenizer does not know, and those letters."""
    known: dict[str, bool] = {}
    found: list[str] = []
    for line in lines:
        new = [letter for letter in set(line).difference(known) if not letter.isspace()]
        known.update(zip(new, _are_known(new, tokenizer), strict=True))
        found += (word for word in line.split() if not all(known[letter] for letter in word))
        if len(found) >= _MOST_WORDS:
            break
    return found, frozenset(letter for letter, is_known in known.items() if not is_known)


def _are_known(letters: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[bool]:
    if not letters:
        return []
    rows: list[list[int]] = tokenizer(list(letters), add_special_tokens=False)["input_ids"]
    return [tokenizer.unk_token_id not in row for row in rows]


def _learned(library: Any, words: Sequence[str], n_pieces: int) -> list[tuple[str, float]]:  # noqa: ANN401
    model = io.BytesIO()
    library.SentencePieceTrainer.train(
        # One by one: of whole lines that end alike it learns hardly more than letters.
        sentence_iterator=iter(words),
        model_writer=model,
        model_type="unigram",
        vocab_size=n_pieces + 1,  # the unknown piece is one
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        max_sentence_length=_LONGEST_WORD,
        bos_id=-1,
        eos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    found = library.SentencePieceProcessor(model_proto=model.getvalue())
    pieces = [number for number in range(found.get_piece_size()) if not found.is_unknown(number)]
    return list(islice(((found.id_to_piece(n), float(found.get_score(n))) for n in pieces), n_pieces))


def _sentencepiece() -> Any:  # noqa: ANN401 - a package that need not be there
    try:
        return import_module("sentencepiece")
    except ImportError as error:
        raise ConfigError(
            f"learning pieces needs the package sentencepiece: {error}. Run: {install_command('pieces')}"
        ) from error
