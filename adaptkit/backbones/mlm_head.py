"""A backbone's own way from hidden states to tokens, read from its checkpoint when it is needed first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedConfig
from transformers.activations import ACT2FN

from adaptkit.backbones.stored_tensors import RowReader, StoredTensor
from adaptkit.errors import CorruptBackbone
from adaptkit.format.mlm_heads import MlmHead

_EPSILON = 1e-12


@dataclass(frozen=True)
class StoredMlmHead:
    """Where the tensors of a head lie. Nothing of them is in memory before a state is brought to a vector.

    Those of a norm or a layer without bias are not there; without a decoder's own weight, tokens are compared with the
    rows of the word embeddings.
    """

    head: MlmHead
    config: PreTrainedConfig
    stored: Mapping[str, StoredTensor]

    def vectors(self, states: Tensor) -> Tensor:
        """What embedding rows are compared with. Shape: states (n, hidden_width), result (n, width of the table)."""
        dense, norm, bias = (self._read[name] for name in ("dense", "norm", "dense.bias"))
        device, inner = states.device, states.float()
        narrow = F.linear(inner, _on(dense, device), None if bias is None else bias.to(device))
        shift = self._read["norm.bias"]
        return F.layer_norm(
            self._activation(narrow),
            _on(norm, device).shape,
            _on(norm, device),
            None if shift is None else shift.to(device),
            float(getattr(self.config, self.head.epsilon_field, _EPSILON)),
        )

    @cached_property
    def bias(self) -> Tensor:
        """A number for each token. Shape: (vocabulary_size)."""
        found = self.stored.get(self.head.bias)
        return torch.zeros(self.config.vocab_size) if found is None else found.read().float()

    def rows(self, ids: Tensor) -> Tensor | None:
        """Rows of the decoder's own weight; None where it has the word embeddings'. Shape: ids (n), (n, width)."""
        return None if self._decoder is None else self._decoder.read(ids.cpu().numpy()).float().to(ids.device)

    @cached_property
    def _decoder(self) -> RowReader | None:
        found = self.stored.get(f"{self.head.decoder}.weight")
        # Where weights are tied, a copy in the checkpoint is read by nobody.
        return None if found is None or self.config.tie_word_embeddings else RowReader(found)

    @cached_property
    def _activation(self) -> nn.Module:
        name = getattr(self.config, self.head.activation_field) if self.head.activation_field else self.head.activation
        made: nn.Module = ACT2FN[name]
        return made

    @cached_property
    def _read(self) -> dict[str, Tensor | None]:
        """The small weights, in float32."""
        names = {"dense": self.head.dense, "norm": self.head.norm}
        found = {name: self.stored[f"{path}.weight"].read().float() for name, path in names.items()}
        biases = {name: self.stored.get(f"{path}.bias") for name, path in names.items()}
        return {**found, **{f"{name}.bias": None if b is None else b.read().float() for name, b in biases.items()}}


def _on(weight: Tensor | None, device: torch.device) -> Tensor:
    assert weight is not None  # noqa: S101 - a head without it is none
    return weight.to(device)


def mlm_head_of(
    heads: tuple[MlmHead, ...], config: PreTrainedConfig, checkpoint: Mapping[str, StoredTensor], word_width: int
) -> StoredMlmHead | None:
    """The head that a checkpoint has, if it has one of these.

    Raises:
        CorruptBackbone: A tensor of it has another shape than the config says.
    """
    for head in heads:
        stored = {name: checkpoint[name] for name in head.tensors if name in checkpoint}
        if f"{head.dense}.weight" in stored and f"{head.norm}.weight" in stored:
            _check(head, stored, config, word_width)
            return StoredMlmHead(head, config, stored)
    return None


def _check(head: MlmHead, stored: Mapping[str, StoredTensor], config: PreTrainedConfig, width: int) -> None:
    right = dict.fromkeys(head.tensors, (width,)) | {
        f"{head.dense}.weight": (width, config.hidden_size),
        head.bias: (config.vocab_size,),
        f"{head.decoder}.weight": (config.vocab_size, width),
    }
    for name, tensor in stored.items():
        if tensor.shape != right[name]:
            raise CorruptBackbone(
                f"the checkpoint's {name} has shape {tensor.shape}; its config says {right[name]}. Fetch both again."
            )
