"""Texts read by a backbone's own pieces and those that an adapter brings with it."""

import copy
import json
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from adaptkit.backbones.learned_pieces import require_unigram
from adaptkit.backbones.text_reader import TextReader
from adaptkit.errors import ConfigError
from adaptkit.methods import PiecesConfig


@dataclass
class PieceReader(TextReader):
    """As a backbone reads text, with more pieces: they have the ids from the end of its vocabulary on."""

    name: str
    text_prefix: str
    tokenizer: PreTrainedTokenizerBase
    longest: int

    @property
    def max_length(self) -> int:
        """The most tokens in one input, special tokens counted."""
        return self.longest


def with_pieces(
    tokenizer: PreTrainedTokenizerBase, pieces: PiecesConfig, *, first: int, name: str
) -> PreTrainedTokenizerBase:
    """A copy of a tokenizer that knows these pieces too, numbered from `first` on.

    A piece competes with the tokenizer's own by its score. As long as each has a letter that the tokenizer does not
    know, text that it knows is read as before.

    Raises:
        ConfigError: A tokenizer that is not of the unigram kind, whose pieces have no scores; or one of these pieces is
            its own already.
    """
    require_unigram(tokenizer, name)
    content: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    vocabulary: list[list[Any]] = content["model"]["vocab"]
    if known := {piece for piece, _ in vocabulary}.intersection(pieces.pieces):
        raise ConfigError(
            f"the tokenizer of {name} has {len(known):,} of the pieces already (first: {min(known)!r}); an adapter "
            "brings only what it lacks."
        )
    vocabulary += _fillers(content, len(vocabulary), first)
    vocabulary += [[piece, score] for piece, score in zip(pieces.pieces, pieces.scores, strict=True)]
    more = copy.copy(tokenizer)
    more._tokenizer = Tokenizer.from_str(json.dumps(content, ensure_ascii=False))
    return more


def _fillers(content: dict[str, Any], n: int, first: int) -> list[list[Any]]:
    """What stands between the tokenizer's own pieces and the new ones: tokens added to it, and names of nothing."""
    added = {token["id"]: token["content"] for token in content["added_tokens"]}
    # No text has such a name: spaces are written otherwise before pieces are looked for.
    return [[added.get(number, f"< unused {number} >"), 0.0] for number in range(n, first)]
