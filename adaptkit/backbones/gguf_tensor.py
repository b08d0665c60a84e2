"""A tensor in a GGUF file: blocks of few bits, which become numbers when they are read."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adaptkit.backbones.stored_tensors import StoredTensor

_BLOCKS_AT_ONCE = 4096


@dataclass(frozen=True)
class GgufTensor(StoredTensor):
    """Where a tensor of a GGUF file lies. Its values come as float32, computed by the package `gguf`.

    `kind` is the number of its type, of which a block holds `block_values` values in `block_bytes` bytes; no row shares
    a block with another. With `interleaved` heads, the rows of each head lie there in pairs, one of either half, as
    llama.cpp rotates them. With `above`, the file has the values plus that number.
    """

    kind: int = 0
    block_values: int = 1
    block_bytes: int = 4
    interleaved: int = 0
    above: float = 0.0

    @property
    def row_bytes(self) -> int:
        """Bytes of one entry of the first dimension."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) // self.block_values * self.block_bytes

    def decoded(self, raw: NDArray[np.uint8]) -> Tensor:
        """The values of whole blocks, one after the other."""
        import gguf

        # In long rows: it takes sixteen of them at a time.
        length = math.gcd(len(raw), _BLOCKS_AT_ONCE * self.block_bytes)
        values = gguf.dequantize(raw.reshape(-1, length), gguf.GGMLQuantizationType(self.kind))
        found = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).reshape(-1)
        return found - self.above if self.above else found

    def rows(self, first: int, count: int) -> Tensor:
        """Entries `first` to `first + count` of the first dimension."""
        if self.interleaved:
            return self._whole()[first : first + count]
        return super().rows(first, count)

    def at(self, positions: list[int]) -> Tensor:
        """Single values, by their position in the flattened tensor."""
        width = int(np.prod(self.shape[1:], dtype=np.int64))
        order = self._order() if self.interleaved else None
        found = []
        for position in positions:
            row, column = divmod(position, width)
            place = position if order is None else int(order[row]) * width + column
            block, inside = divmod(place, self.block_values)
            found.append(self._read(block * self.block_bytes, self.block_bytes)[inside : inside + 1])
        return torch.cat(found)

    def _whole(self) -> Tensor:
        return super().rows(0, self.shape[0])[torch.from_numpy(self._order())]

    def _order(self) -> NDArray[np.int64]:
        """For each row as transformers has it, the row there."""
        half = self.shape[0] // self.interleaved // 2
        there = np.arange(self.shape[0]).reshape(self.interleaved, half, 2)
        return there.swapaxes(1, 2).reshape(-1)
