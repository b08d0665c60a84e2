"""The tensors of a transformers checkpoint, read from disk one at a time."""

import json
import math
import os
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from huggingface_hub import _CACHED_NO_EXIST, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from numpy.typing import NDArray
from torch import Tensor
from transformers.utils.hub import cached_file

from adaptkit import network
from adaptkit.errors import BackboneUnavailable, CorruptBackbone
from adaptkit.format.former_names import names_now

MARKER = "adaptkit_backbone.json"
"""A file beside the weights with what transformers has no place for: name, release and text prefix."""

_CONFIG = "config.json"
_SINGLE, _INDEX = "model.safetensors", "model.safetensors.index.json"
_TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 100_000_000
# Names of layer norm tensors in checkpoints of the first BERTs.
_OLD_ENDINGS = {".gamma": ".weight", ".beta": ".bias"}


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies: file, byte offset, shape and type. Nothing of it is in memory.

    What is read of it is looked through for NaN and Inf, but for single values.
    """

    name: str
    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def row_bytes(self) -> int:
        """Bytes of one entry of the first dimension."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    def read(self) -> Tensor:
        """The whole tensor, in the type that it is stored in."""
        if not self.shape:
            return require_finite(self.name, self._read(0, self.dtype.itemsize).reshape(()))
        return self.rows(0, self.shape[0])

    def rows(self, first: int, count: int) -> Tensor:
        """Entries `first` to `first + count` of the first dimension."""
        count = min(count, self.shape[0] - first)
        values = self._read(first * self.row_bytes, count * self.row_bytes).reshape(count, *self.shape[1:])
        return require_finite(self.name, values)

    def in_pieces(self, rows_at_once: int) -> Iterator[tuple[int, Tensor]]:
        """The tensor some rows at a time, with the number of the first one."""
        for first in range(0, self.shape[0], rows_at_once):
            yield first, self.rows(first, rows_at_once)

    def split(self, count: int) -> list["StoredTensor"]:
        """So many tensors that it holds one after the other, each with its share of the first dimension."""
        if count == 1:
            return [self]
        n_rows, n_bytes = self.shape[0] // count, self.row_bytes * (self.shape[0] // count)
        shape = (n_rows, *self.shape[1:])
        return [replace(self, offset=self.offset + number * n_bytes, shape=shape) for number in range(count)]

    def at(self, positions: list[int]) -> Tensor:
        """Single values, by their position in the flattened tensor."""
        size = self.dtype.itemsize
        return torch.cat([self._read(position * size, size) for position in positions])

    def _read(self, start: int, n_bytes: int) -> Tensor:
        # Not a memory map: pages that were touched would stay resident.
        raw = np.fromfile(self.path, np.uint8, n_bytes, offset=self.offset + start)
        if len(raw) != n_bytes:
            raise CorruptBackbone(f"{self.path.name} ends early: it was cut off. Fetch the backbone again.")
        return self.decoded(raw)

    def decoded(self, raw: NDArray[np.uint8]) -> Tensor:
        """The values of bytes that were read, one after the other."""
        return torch.from_numpy(raw).view(self.dtype)


def stored_tensors_of(
    source: str, base_model_prefix: str, former: Mapping[str, tuple[str, ...]] = MappingProxyType({})
) -> Mapping[str, StoredTensor]:
    """Where the tensors of a local folder or hub id lie, under the names that the bare model gives them.

    `former` are parts of names that checkpoints of the family had before, as `adaptkit.format.former_names` has them.

    Raises:
        BackboneUnavailable: No safetensors there.
        CorruptBackbone: A file that contradicts itself.
    """
    stored: dict[str, StoredTensor] = {}
    for path in _files(source):
        stored |= tensors_in(path)
    inner = f"{base_model_prefix}."
    found: dict[str, StoredTensor] = {}
    for name, tensor in stored.items():
        names = names_now(_current_name(name.removeprefix(inner)), former)
        found |= dict(zip(names, tensor.split(len(names)), strict=True))
    return found


def _files(source: str) -> list[Path]:
    if single := find_file(source, _SINGLE):
        return [single]
    if index := find_file(source, _INDEX):
        try:
            names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CorruptBackbone(f"{index} is not a sound index of weights. Fetch the backbone again.") from error
        if odd := [name for name in names if Path(name).name != name]:
            raise CorruptBackbone(
                f"{index} names {odd[0]!r:.80}, which is not a file beside it. Fetch the backbone again."
            )
        found = [find_file(source, name) for name in names]
        if None not in found:
            return [path for path in found if path is not None]
    raise BackboneUnavailable(
        f"backbone {source!r} has no {_SINGLE}. Weights in other formats are not read; "
        "save it once with transformers' save_pretrained."
    )


def find_file(source: str, name: str) -> Path | None:
    """A file of a local folder or hub id; None where it has none of that name.

    Raises:
        BackboneUnavailable: The hub does not answer.
    """
    try:
        path = cached_file(source, name, _raise_exceptions_for_missing_entries=False)
    except OSError as error:
        if isinstance(error.__cause__, HFValidationError):  # no folder, and no hub can have an id like that
            return None
        raise BackboneUnavailable(f"backbone {source!r} cannot be read: {error}") from error
    return None if path is None else Path(path)


def is_within_reach(source: str) -> bool:
    """Whether it can be a backbone here: a folder, an id that was fetched before, or a hub answers that may have it."""
    if Path(source).is_dir():
        return True
    try:
        fetched = try_to_load_from_cache(source, _CONFIG)
    except HFValidationError:  # no hub can have an id like that
        return False
    return isinstance(fetched, str) or network.hub_answers()


def is_known_to_lack(source: str, name: str) -> bool:
    """Whether there is no file of that name for certain; where no hub answers, that may not be known."""
    return Path(source).is_dir() or try_to_load_from_cache(source, name) is _CACHED_NO_EXIST


def tensors_in(path: Path) -> dict[str, StoredTensor]:
    """Where the tensors of a safetensors file lie, by name.

    Raises:
        CorruptBackbone: A file that contradicts itself.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if length > min(_MOST_HEADER_BYTES, size - _LENGTH_BYTES):
            raise CorruptBackbone(f"{path.name} is cut off, or is not a safetensors file. Fetch the backbone again.")
        content = file.read(length)
    try:
        header = json.loads(content)
        header.pop("__metadata__", None)
        # Position numbers and the like have other types; a weight of such a type is found missing later.
        entries = {name: entry for name, entry in header.items() if entry["dtype"] in _TYPES}
        start = _LENGTH_BYTES + length
        tensors = {name: _tensor(name, path, start, size, entry) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptBackbone(f"{path.name} contradicts itself: {error}. Fetch the backbone again.") from error
    return tensors


def _tensor(name: str, path: Path, start: int, size: int, entry: dict[str, Any]) -> StoredTensor:
    first, end = entry["data_offsets"]
    if not all(type(number) is int and number >= 0 for number in (first, end, *entry["shape"])):
        raise ValueError(f"bytes {first!r:.40} to {end!r:.40} for a shape of {entry['shape']!r:.80}")
    tensor = StoredTensor(name, path, start + first, tuple(entry["shape"]), _TYPES[entry["dtype"]])
    if end - first != math.prod(tensor.shape) * tensor.dtype.itemsize or start + end > size:
        raise ValueError(f"bytes {first} to {end} for a shape of {tensor.shape}")
    return tensor


def require_finite(name: str, values: Tensor) -> Tensor:
    """The values, all of which are numbers.

    Raises:
        CorruptBackbone: NaN or Inf among them.
    """
    # A sum reads each value once and keeps none; only one that is off is worth a second look.
    if not bool(values.sum(dtype=torch.float32).isfinite()) and not bool(values.isfinite().all()):
        raise CorruptBackbone(
            f"the backbone's weight {name} holds NaN or Inf, so that every output would be one. Fetch the backbone "
            "again; if a training of yours wrote it, that run diverged."
        )
    return values


def incomplete(missing: list[str]) -> str:
    """What is said of a checkpoint that lacks weights."""
    return (
        f"the checkpoint lacks {len(missing)} weights that its config promises (first: {missing[0]}). Weights are "
        "never made up; use a complete checkpoint."
    )


def _current_name(name: str) -> str:
    for old, new in _OLD_ENDINGS.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


class RowReader:
    """Reads single rows of a stored matrix through one open file."""

    def __init__(self, stored: StoredTensor) -> None:
        self.stored = stored
        # A file object cannot be copied, so that no copy can close what the original reads.
        self._file = stored.path.open("rb", buffering=0)
        weakref.finalize(self, self._file.close)

    def read(self, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Tensor:
        """These rows, ascending and distinct. Shape: rows (n), result (n, width), in the stored type."""
        width = self.stored.row_bytes
        buffer = np.empty((len(rows), width), np.uint8)
        # Neighbours come in one call.
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) != 1) + 1):
            if len(run) == 0:
                continue
            place = self.stored.offset + int(rows[run[0]]) * width
            got = os.preadv(self._file.fileno(), [memoryview(buffer[run[0] : run[-1] + 1].data)], place)
            if got != len(run) * width:
                raise CorruptBackbone(f"{self.stored.path.name} ends early: it was changed while in use. Load again.")
        values = self.stored.decoded(buffer.reshape(-1)).reshape(len(rows), -1)
        return require_finite(self.stored.name, values)
