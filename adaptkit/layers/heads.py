"""Heads: the output layers of task adapters, on the hidden states of the last block. They compute in float32."""

import torch
from torch import Tensor, nn

from adaptkit.layers.pooling import mean_pool
from adaptkit.layers.sentence_vectors import SentenceVectors
from adaptkit.layers.types import MasterLinear


class Head(nn.Module):
    """What turns hidden states into outputs. A task type may bring a module of its own."""

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, ...), float32."""
        raise NotImplementedError


class SentenceHead(Head):
    """One row of outputs for each sentence: `out(tanh(dense(mean over real tokens)))`."""

    def __init__(self, *, hidden_width: int, n_outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.dense = MasterLinear(hidden_width, hidden_width)
        self.out = MasterLinear(hidden_width, n_outputs)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, n_outputs), float32."""
        pooled = mean_pool(hidden, mask)
        logits: Tensor = self.out(self.dropout(torch.tanh(self.dense(self.dropout(pooled)))))
        return logits.float()


class TokenHead(Head):
    """One row of outputs for each token."""

    def __init__(self, *, hidden_width: int, n_outputs: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = MasterLinear(hidden_width, n_outputs)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG002 - the contract of heads
        """Shape: hidden (batch, seq, hidden_width), result (batch, seq, n_outputs), float32."""
        logits: Tensor = self.out(self.dropout(hidden.float()))
        return logits.float()


class VectorHead(Head):
    """The sentence vector itself, as the backbone makes it. It has no weights."""

    def __init__(self) -> None:
        super().__init__()
        # In a list, as it is the backbone's and not the adapter's.
        self._vectors = [SentenceVectors()]

    def use(self, vectors: SentenceVectors) -> None:
        """Make vectors as this backbone does."""
        self._vectors = [vectors]

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, width of vectors), float32."""
        vectors: Tensor = self._vectors[0](hidden, mask)
        return vectors
