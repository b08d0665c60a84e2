"""Cross-entropy of tokens against rows of an embedding table, in pieces that fit into memory."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from adaptkit.layers import InvertibleLayer, PieceRows
from adaptkit.task_types import IGNORED
from adaptkit.training.data import TrainingData

_LOGIT_BYTES_AT_ONCE = 2**28


class VocabularySoftmax(nn.Module):
    """A softmax over the tokens of `vocabulary` (ascending; None: all), whose rows of a frozen table are `rows`.

    Ids above those are of pieces that the adapter brings: `more` holds their rows, which train. An invertible layer at
    the embeddings is undone before the projection, which is computed in `dtype`, the loss in float32. Rows that are
    narrower than the blocks are compared as `widening` brings them to that width.

    Shape: rows (ids of the vocabulary in the table, width), widening (hidden_width, width).
    """

    def __init__(
        self,
        rows: Tensor,
        vocabulary: Tensor | None,
        *,
        n_ids: int,
        dtype: torch.dtype = torch.float32,
        invertible: InvertibleLayer | None = None,
        more: PieceRows | None = None,
        widening: Tensor | None = None,
    ) -> None:
        super().__init__()
        kept = torch.arange(n_ids) if vocabulary is None else vocabulary.long()
        place = torch.full((n_ids,), -1, dtype=torch.long)
        place[kept] = torch.arange(len(kept))
        # A plain attribute: the layer belongs to the adapter, and must not be counted here too.
        self._undo = None if invertible is None else invertible.inverse
        self._more = [] if more is None else [more]
        own = torch.zeros(0, dtype=torch.long) if more is None else kept[kept >= more.first] - more.first
        self.register_buffer("own", own, persistent=False)
        self.register_buffer("rows", rows.to(dtype), persistent=False)
        self.register_buffer("widening", None if widening is None else widening.to(dtype), persistent=False)
        # No buffers: what is predicted is chosen on the CPU, wherever it is computed.
        self.vocabulary, self._place = kept, place

    def __len__(self) -> int:
        return len(self.vocabulary)

    def table(self) -> Tensor:
        """A row for each id of the vocabulary. Shape: (len(vocabulary), width)."""
        rows = self.get_buffer("rows")
        if not self._more:
            return rows
        return torch.cat([rows, self._more[0].rows[self.get_buffer("own")].to(rows.dtype)])

    def places(self, ids: Tensor) -> Tensor:
        """Where in the vocabulary these ids are, -1 for others. Shape: as `ids`, which are on the CPU."""
        return self._place[ids]

    def forward(self, vectors: Tensor, labels: Tensor, bias: Tensor | None = None) -> Tensor:
        """The mean cross-entropy; 0 of no tokens at all.

        Shape: vectors (n, hidden_width), labels (n) places in the vocabulary or `IGNORED`, bias (len(vocabulary)),
        result ().
        """
        vectors = vectors.to(self.get_buffer("rows").dtype)
        if self._undo is not None:
            vectors = self._undo(vectors)
        if self._buffers["widening"] is not None:
            # A bias of the widening would add one number to all tokens, which a softmax does not see.
            vectors = vectors @ self.get_buffer("widening")
        table = self.table()
        n_labels = (labels != IGNORED).sum().clamp(min=1)
        at_once = max(1, _LOGIT_BYTES_AT_ONCE // (4 * len(self)))
        if len(vectors) <= at_once:
            return self._summed(vectors, labels, bias, table) / n_labels
        pieces = zip(torch.split(vectors, at_once), torch.split(labels, at_once), strict=True)
        losses = [checkpoint(self._summed, *piece, bias, table, use_reentrant=False) for piece in pieces]
        return torch.stack(losses).sum() / n_labels

    def _summed(self, vectors: Tensor, labels: Tensor, bias: Tensor | None, table: Tensor) -> Tensor:
        logits = F.linear(vectors, table)
        logits = logits if bias is None else logits + bias
        return F.cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum")


def softmax_vocabulary(data: TrainingData, *, full: bool) -> Tensor | None:
    """The token ids that occur in the data, ascending, as the softmax takes them; None for the `full` vocabulary."""
    return None if full else torch.from_numpy(data.sentences.vocabulary())
