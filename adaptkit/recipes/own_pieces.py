"""Pieces of text that an adapter in training brings with it: learned from its text, and where their rows start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.backbones.learned_pieces import learned_pieces
from adaptkit.composition import AdapterId
from adaptkit.data.lexicon import Lexicon
from adaptkit.data.part import Part, read_parts
from adaptkit.data.sentence import Sentence
from adaptkit.errors import ConfigError
from adaptkit.methods import PiecesConfig
from adaptkit.recipes.foundation import Foundation
from adaptkit.requests import LanguageRequest
from adaptkit.terminal.asking import as_typed
from adaptkit.training.piece_starts import start_rows


@dataclass(frozen=True)
class OwnPieces:
    """The pieces, and the row from which each starts; `n_meant` of them start from what they mean.

    Shape: starts (len(pieces), hidden_width).
    """

    pieces: PiecesConfig
    starts: Tensor
    n_meant: int

    def __str__(self) -> str:
        return (
            f"{len(self.pieces):,} of its own, learned from the text; {self.n_meant:,} start from rows of what they "
            f"mean, the others from the mean of the vocabulary; {4 * self.starts.numel() / 2**20:.1f} MiB"
        )


def own_pieces(
    request: LanguageRequest,
    parts: list[Part],
    lexicon: Lexicon | None,
    backbone: Backbone,
    foundation: Foundation,
    adapter_id: AdapterId,
    note: Callable[[str], None],
) -> OwnPieces | None:
    """The pieces that were asked for; None where none were.

    Raises:
        ConfigError: They cannot be learned for this tokenizer or from this text, the backbone is a decoder, or an
            adapter below brings pieces already.
    """
    if request.new_pieces is None:
        return None
    if backbone.architecture.causal:
        raise ConfigError(
            f"{backbone.name} is a decoder, which predicts tokens of its own vocabulary only: new pieces are for "
            f"encoders. Leave {as_typed(new_pieces=...)} out, or take an encoder."
        )
    if having := [adapter.id for adapter in foundation.adapters if adapter.config.pieces is not None]:
        raise ConfigError(
            f"{having[0]} lies below {adapter_id} and brings pieces of text already, and a text is read by those of "
            f"one adapter: leave {as_typed(new_pieces=...)} out."
        )
    note(f"learning {request.new_pieces:,} pieces from the text")

    def rows() -> Iterator[Sentence]:
        return read_parts(parts, request.normalize)

    lines = (row.text for row in rows())
    pieces = learned_pieces(lines, backbone.tokenizer, n_pieces=request.new_pieces, name=backbone.name)
    starts, n_meant = start_rows(pieces, backbone, lexicon=lexicon, pairs=rows(), seed=request.run.seed)
    return OwnPieces(pieces, starts, n_meant)
