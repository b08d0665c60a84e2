"""Parameters of a backbone, and the memory that it takes at each number of bits, by the headers of its files alone."""

import math
from collections.abc import Mapping

from adaptkit.backbones.checkpoint import Checkpoint
from adaptkit.backbones.stored_tensors import StoredTensor
from adaptkit.backbones.streamed import require_complete
from adaptkit.choosing.candidate import Size
from adaptkit.format.architectures import architecture_of
from adaptkit.holding import BITS, CACHE_BYTES, Bits

_BYTES_OF_A_LINEAR: Mapping[Bits, float] = {32: 4.0, 16: 2.0, 8: 1.0, 4: 0.5 + 4 / 64}
"""At 8 bits a scale for each row, which is next to nothing; at 4 bits one for each 64 weights."""
_BYTES_OF_A_PIECE = 1_280
"""What a piece takes in a tokenizer: 304 MiB for 250,002 pieces, 39 MiB for 49,152, were measured."""
_PROGRAM: Mapping[Bits, int] = {32: 400 * 2**20, 16: 400 * 2**20, 8: 650 * 2**20, 4: 650 * 2**20}
"""Python and its libraries; at 8 and 4 bits, those that quantise come to them (380, and 480 to 650 MiB measured)."""


def size_of(checkpoint: Checkpoint, n_pieces: int) -> Size:
    """What a checkpoint holds, and what a process needs to answer with it, at the default form of tables.

    Raises:
        BackboneUnavailable: There are no safetensors.
        CorruptBackbone: A weight is missing, or has another shape than the config says.
    """
    needed = require_complete(checkpoint.empty, checkpoint.tensors)
    family, tokenizer = checkpoint.config.model_type, n_pieces * _BYTES_OF_A_PIECE
    return Size(
        parameters=sum(math.prod(tensor.shape) for tensor in needed.values()),
        memory={bits: _PROGRAM[bits] + tokenizer + weights_bytes(needed, family, bits) for bits in BITS},
    )


def weights_bytes(tensors: Mapping[str, StoredTensor], model_type: str, bits: Bits) -> int:
    """Bytes of the weights on the CPU, the word embeddings paged at 8 and 4 bits, as `load_model` holds them."""
    row = architecture_of(model_type)
    plain = 2 if bits == 16 else 4
    blocks = tuple(f"{path}." for path, _ in row.sides)
    total = 0.0
    for name, tensor in tensors.items():
        count = math.prod(tensor.shape)
        if name == row.table and bits in (8, 4):
            total += min(CACHE_BYTES, plain * count)
        elif name.startswith(blocks) and len(tensor.shape) == 2:
            total += _BYTES_OF_A_LINEAR[bits] * count
        else:
            total += plain * count
    return round(total)
