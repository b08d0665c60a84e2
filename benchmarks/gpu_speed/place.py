"""Where rows are measured: a device, and backbones of real shapes with random weights in a folder that both share."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import LlamaConfig, PreTrainedConfig

from adaptkit.backbones import embedded
from adaptkit.backbones.streamed import empty_network
from benchmarks.cases.memory import SHAPES
from benchmarks.gpu_speed.rows import BASE, DECODER, LARGE, SMALL
from tests.saved import saved_backbone

# The shape of SmolLM2 135M, with as many token ids as the tokenizer at hand has.
_DECODER = LlamaConfig(
    vocab_size=250_037,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=30,
    num_attention_heads=9,
    num_key_value_heads=3,
    max_position_embeddings=2048,
    tie_word_embeddings=True,
    pad_token_id=1,
)
CONFIGS: dict[str, PreTrainedConfig] = {
    BASE: SHAPES["xlm-roberta-base"],
    LARGE: SHAPES["xlm-roberta-large"],
    DECODER: _DECODER,
}
_TINY = {SMALL: "bert", BASE: "xlm-roberta", LARGE: "xlm-roberta", DECODER: "llama"}


@dataclass(frozen=True)
class Place:
    """A device and a folder; `tiny` takes backbones of a few kilobytes, to try the code."""

    device: torch.device
    folder: Path
    tiny: bool = False

    @property
    def rows(self) -> int:
        """Rows of a batch that is served."""
        return 6 if self.tiny else 64

    @property
    def tokens(self) -> int:
        """Tokens of each of its rows."""
        return 12 if self.tiny else 32

    def repeats(self, count: int) -> int:
        """How often something is measured."""
        return 1 if self.tiny else count

    def backbone(self, shape: str) -> Path:
        """A transformers folder of this shape, written once; the embedded backbone is the real one."""
        path = self.folder / shape
        if path.exists():
            return path
        if self.tiny:
            return saved_backbone(path, _TINY[shape])
        return embedded.materialise() if shape == SMALL else _random(CONFIGS[shape], path, self.device)

    def batch(self, vocabulary_size: int, rows: int | None = None) -> tuple[Tensor, Tensor]:
        """Token ids and a mask of ones. Shape: (rows, tokens) each."""
        generator = torch.Generator().manual_seed(0)
        low, high = lowest_id(vocabulary_size), vocabulary_size - 1
        ids = torch.randint(low, high, (rows or self.rows, self.tokens), generator=generator)
        return ids.to(self.device), torch.ones_like(ids).to(self.device)


def lowest_id(vocabulary_size: int) -> int:
    """Below it, ids are special ones and bytes."""
    return min(1000, vocabulary_size // 4)


def _random(config: PreTrainedConfig, folder: Path, device: torch.device) -> Path:
    """Random weights, drawn on the device and written in 16 bits: seconds, where float32 by a CPU takes a minute."""
    partial = folder.with_suffix(f".{os.getpid()}")
    config.save_pretrained(partial)
    generator = torch.Generator(device).manual_seed(0)
    tensors = {
        name: _drawn(name, tuple(weight.shape), generator) for name, weight in empty_network(config).named_parameters()
    }
    save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(embedded.materialise() / name, partial)
    with suppress(OSError):  # another process has written the same
        partial.rename(folder)
    return folder


def _drawn(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if name.lower().endswith("norm.weight"):
        return torch.ones(shape, dtype=torch.bfloat16)
    drawn = 0.03 * torch.randn(shape, generator=generator, device=generator.device)
    return drawn.to(torch.bfloat16).cpu()
