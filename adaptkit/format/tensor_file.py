"""The tensor file of an adapter: safetensors, every claim of which is checked before anything is allocated for it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from safetensors import SafetensorError, deserialize

from adaptkit.errors import (
    LimitExceeded,
    MalformedTensorFile,
    NonFiniteTensor,
    TensorDtypeMismatch,
    TensorSetMismatch,
    TensorShapeMismatch,
)
from adaptkit.format.spec import DTYPES, MAX_HEADER_BYTES
from adaptkit.format.strict_json import parse_json

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
_LENGTH_BYTES = 8
_FIELDS = {"dtype", "shape", "data_offsets"}
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")
_EXPONENTS: Mapping[str, tuple[str, int]] = {
    "F32": ("<u4", 0x7F800000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
}
"""How a number lies there, and those of its bits that are all set in NaN and Inf, and in nothing else."""


def check_tensors(content: bytes, expected: Shapes, path: Path) -> None:
    """Let a safetensors file hold exactly the expected tensors, and only finite numbers in them.

    Raises:
        LimitExceeded: The header is larger than the reader's bound.
        MalformedTensorFile: Truncated, no safetensors, or a header that contradicts itself.
        TensorSetMismatch: A tensor is missing, or one is there that was not promised.
        TensorShapeMismatch: A shape is not the expected one.
        TensorDtypeMismatch: A type other than F32, F16 or BF16.
        NonFiniteTensor: NaN or Inf among the values.
    """
    header = parse_header(content, path)
    _check_set(header.keys(), expected, path)
    for name, shape in expected.items():
        _check_entry(name, header[name], shape, path)
    try:
        tensors = deserialize(content)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError) as error:
        raise MalformedTensorFile(path, f"is not a sound safetensors file: {error}.") from error
    for name, tensor in tensors:
        if not _is_finite(tensor["data"], tensor["dtype"]):
            raise NonFiniteTensor(
                path, f"tensor {name} holds NaN or Inf; the adapter is broken. Train or fetch it again."
            )


def _is_finite(data: bytes, dtype: str) -> bool:
    bits, exponent = _EXPONENTS[dtype]
    return not bool(((np.frombuffer(data, bits) & exponent) == exponent).any())


def parse_header(content: bytes, path: Path) -> dict[str, object]:
    """What a safetensors file says of each of its tensors, unchecked but for being JSON of a bounded size.

    Raises:
        LimitExceeded: The header is larger than the reader's bound.
        MalformedTensorFile: Truncated, or no safetensors.
    """
    if len(content) < _LENGTH_BYTES:
        raise MalformedTensorFile(path, f"is {len(content)} bytes long; a safetensors file has at least 8.")
    # A sound header may be 640 bytes long, which is b"\x80\x02" too; it begins with a brace.
    if content[:2] in _PICKLE_STARTS and content[_LENGTH_BYTES : _LENGTH_BYTES + 1] != b"{":
        raise MalformedTensorFile(
            path, "is a pickle or zip file under a safetensors name. Pickles can run code; they are never loaded."
        )
    size = int.from_bytes(content[:_LENGTH_BYTES], "little")
    if size > MAX_HEADER_BYTES:
        raise LimitExceeded(path, f"claims a header of {size:,} bytes; the reader's bound is {MAX_HEADER_BYTES:,}.")
    if _LENGTH_BYTES + size > len(content):
        raise MalformedTensorFile(
            path, f"claims a header of {size:,} bytes and is only {len(content):,} bytes long: truncated, or it lies."
        )
    try:
        header = parse_json(content[_LENGTH_BYTES : _LENGTH_BYTES + size])
    except ValueError as error:
        raise MalformedTensorFile(path, f"has a header that is not sound JSON: {error}.") from error
    if not isinstance(header, dict):
        raise MalformedTensorFile(path, "has a header that is not a JSON object.")
    header.pop("__metadata__", None)
    return header


def _check_set(found: object, expected: Shapes, path: Path) -> None:
    names = set(found)  # type: ignore[call-overload]
    if names != expected.keys():
        raise TensorSetMismatch(path, sorted(expected.keys() - names), sorted(names - expected.keys()))


def _check_entry(name: str, entry: object, shape: tuple[int, ...], path: Path) -> None:
    if not isinstance(entry, dict) or entry.keys() != _FIELDS or not isinstance(entry["shape"], list):
        raise MalformedTensorFile(
            path, f"describes tensor {name} by something other than {', '.join(sorted(_FIELDS))}."
        )
    if entry["dtype"] not in DTYPES:
        raise TensorDtypeMismatch(
            path, f"tensor {name} has type {entry['dtype']!r}; adapters hold {', '.join(DTYPES)}."
        )
    if tuple(entry["shape"]) != shape:
        raise TensorShapeMismatch(path, f"tensor {name} has shape {tuple(entry['shape'])}, expected {shape}.")
    offsets = entry["data_offsets"]
    expected_bytes = math.prod(shape) * (4 if entry["dtype"] == "F32" else 2)
    if not _is_range(offsets, expected_bytes):
        raise MalformedTensorFile(
            path, f"gives tensor {name} the bytes {offsets}, but its shape needs {expected_bytes:,}."
        )


def _is_range(offsets: object, length: int) -> bool:
    match offsets:
        case [int(start), int(end)]:
            return end - start == length
    return False
