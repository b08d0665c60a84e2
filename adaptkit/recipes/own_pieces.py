"""Pieces of text that an adapter in training brings with it: learned from its text, and where their rows start."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from adaptkit.backbones import Backbone
from adaptkit.backbones.learned_pieces import learned_pieces
from adaptkit.composition import AdapterId
from adaptkit.errors import ConfigError
from adaptkit.methods import PiecesConfig
from adaptkit.recipes.foundation import Foundation
from adaptkit.recipes.source import TrainingSource
from adaptkit.storage import Adapter
from adaptkit.terminal.amounts import bytes_text
from adaptkit.terminal.asking import as_typed
from adaptkit.training.piece_starts import start_rows


@dataclass(frozen=True)
class OwnPieces:
    """The pieces, and the row from which each starts; `n_meant` of them start from what they mean.

    `n_asked` were asked for; the text may give fewer.

    Shape: starts (len(pieces), hidden_width).
    """

    pieces: PiecesConfig
    starts: Tensor
    n_meant: int
    n_asked: int

    def __str__(self) -> str:
        fewer = f" ({self.n_asked:,} were asked for, and it gives no more)" if len(self.pieces) < self.n_asked else ""
        return (
            f"{len(self.pieces):,} of its own, learned from the text{fewer}; {self.n_meant:,} start from rows of what "
            f"they mean, the others from the mean of the vocabulary; {bytes_text(4 * self.starts.numel())}"
        )


def require_room_for_pieces(
    adapter_id: AdapterId, backbone: Backbone, foundation: Foundation, start: Adapter | None
) -> None:
    """See before the text is read that an adapter can bring pieces there.

    Raises:
        ConfigError: The backbone is a decoder, or an adapter below or the one that it starts from brings pieces
            already.
    """
    if backbone.architecture.generates:
        kind = "a decoder" if backbone.architecture.causal else "an encoder-decoder"
        raise ConfigError(
            f"{backbone.name} is {kind}, which predicts tokens of its own vocabulary only: new pieces are for "
            f"encoders. Leave {as_typed(new_pieces=...)} out, or take an encoder."
        )
    if having := [adapter.id for adapter in foundation.adapters if adapter.config.pieces is not None]:
        raise ConfigError(
            f"{having[0]} lies below {adapter_id} and brings pieces of text already, and a text is read by those of "
            f"one adapter: leave {as_typed(new_pieces=...)} out."
        )
    if start is not None and start.config.pieces is not None:
        raise ConfigError(
            f"{start.id} brings pieces of text already, which what starts from it has too: leave "
            f"{as_typed(new_pieces=...)} out."
        )


def own_pieces(
    n_pieces: int, source: TrainingSource, backbone: Backbone, *, seed: int, note: Callable[[str], None]
) -> OwnPieces:
    """So many pieces of a source that can be read again.

    Raises:
        ConfigError: They cannot be learned for this tokenizer or from this text.
    """
    note(f"learning {n_pieces:,} pieces from the text")
    lines = (row.text for row in source.rows())
    pieces = learned_pieces(lines, backbone.tokenizer, n_pieces=n_pieces, name=backbone.name)
    starts, n_meant = start_rows(pieces, backbone, lexicon=source.lexicon, pairs=source.rows(), seed=seed)
    return OwnPieces(pieces, starts, n_meant, n_pieces)
