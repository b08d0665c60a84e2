import json
from pathlib import Path

import pytest
import torch

from adaptkit.errors import (
    AdapterFileError,
    LimitExceeded,
    MalformedTensorFile,
    NonFiniteTensor,
    TensorDtypeMismatch,
    TensorSetMismatch,
    TensorShapeMismatch,
    WeightsChanged,
)
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.spec import MAX_HEADER_BYTES, WEIGHTS_FILE
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import load_adapter
from tests.adapters import random_adapter
from tests.hostile import header_and_data, put_tensors, put_weights, tensor_file, tensors_of

NAME = "base_model.model.encoder.layer.0.attention.self.query.lora_A.weight"


def assert_refused(folder: Path, error: type[AdapterFileError]) -> AdapterFileError:
    with pytest.raises(error) as caught:
        load_adapter(folder)
    assert type(caught.value) is error
    assert caught.value.path == folder / WEIGHTS_FILE
    return caught.value


def test_a_missing_tensor(folder: Path) -> None:
    put_tensors(folder, {name: tensor for name, tensor in tensors_of(folder).items() if name != NAME})
    error = assert_refused(folder, TensorSetMismatch)
    assert isinstance(error, TensorSetMismatch)
    assert (error.missing, error.extra) == ((NAME,), ())


def test_an_extra_tensor(folder: Path) -> None:
    put_tensors(folder, {**tensors_of(folder), "pooler.dense.weight": torch.ones(2)})
    error = assert_refused(folder, TensorSetMismatch)
    assert isinstance(error, TensorSetMismatch)
    assert (error.missing, error.extra) == ((), ("pooler.dense.weight",))


def test_a_tensor_without_the_prefix(folder: Path) -> None:
    put_tensors(folder, {name.removeprefix("base_model."): tensor for name, tensor in tensors_of(folder).items()})
    assert_refused(folder, TensorSetMismatch)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_number_that_is_none(folder: Path, value: float, dtype: torch.dtype) -> None:
    tensors = {name: tensor.to(dtype) for name, tensor in tensors_of(folder).items()}
    tensors[NAME][-1, -1] = value
    put_tensors(folder, tensors)
    assert_refused(folder, NonFiniteTensor)


@pytest.mark.parametrize("shape", [(32, 4), (128,), (1, 4, 32), (4, 16), (5, 32)])
def test_another_shape(folder: Path, shape: tuple[int, ...]) -> None:
    put_tensors(folder, {**tensors_of(folder), NAME: torch.ones(shape)})
    assert_refused(folder, TensorShapeMismatch)


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.uint8, torch.bool, torch.int64, torch.float64, torch.float8_e4m3fn]
)
def test_another_type(folder: Path, dtype: torch.dtype) -> None:
    put_tensors(folder, {**tensors_of(folder), NAME: torch.ones(4, 32).to(dtype)})
    assert_refused(folder, TensorDtypeMismatch)


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 9, 500, -4096, -4, -1])
def test_a_truncated_file(folder: Path, kept: int) -> None:
    put_weights(folder, (folder / WEIGHTS_FILE).read_bytes()[:kept])
    assert_refused(folder, MalformedTensorFile)


def test_a_file_with_something_behind_it(folder: Path) -> None:
    put_weights(folder, (folder / WEIGHTS_FILE).read_bytes() + b"\0\0\0\0")
    assert_refused(folder, MalformedTensorFile)


@pytest.mark.parametrize("change", [-(10**9), -1, 1, 1000, 10**5])
def test_a_header_length_that_lies(folder: Path, change: int) -> None:
    content = (folder / WEIGHTS_FILE).read_bytes()
    size = max(0, int.from_bytes(content[:8], "little") + change)
    put_weights(folder, size.to_bytes(8, "little") + content[8:])
    assert_refused(folder, MalformedTensorFile)


@pytest.mark.parametrize("size", [MAX_HEADER_BYTES + 1, 2**31, 2**63, 2**64 - 1])
def test_a_header_length_above_the_bound(folder: Path, size: int) -> None:
    content = (folder / WEIGHTS_FILE).read_bytes()
    put_weights(folder, size.to_bytes(8, "little") + content[8:])
    assert_refused(folder, LimitExceeded)


def test_a_header_that_is_as_huge_as_it_says(folder: Path) -> None:
    put_weights(folder, tensor_file(b"{" + b" " * MAX_HEADER_BYTES + b"}", b""))
    assert_refused(folder, LimitExceeded)


OFFSETS = {
    "overlapping": [0, 512],
    "beyond the file": [10**9, 10**9 + 512],
    "beyond 64 bits": [2**70, 2**70 + 512],
    "negative": [-512, 0],
    "backwards": [512, 0],
    "too few bytes": [0, 4],
    "one number": [512],
    "text": ["0", "512"],
    "fractions": [0.0, 512.0],
    "truth values": [False, 512],
    "nothing": None,
}


@pytest.mark.parametrize("offsets", OFFSETS.values(), ids=OFFSETS)
def test_offsets_that_lie(folder: Path, offsets: object) -> None:
    header, data = header_and_data(folder)
    last = max((name for name in header if name.endswith("query.lora_A.weight")), key=str)
    header[last]["data_offsets"] = offsets
    put_weights(folder, tensor_file(header, data))
    assert_refused(folder, MalformedTensorFile)


def test_a_hole_between_tensors(folder: Path) -> None:
    header, data = header_and_data(folder)
    header.pop("__metadata__")
    for entry in header.values():
        entry["data_offsets"] = [offset + 64 for offset in entry["data_offsets"]]
    put_weights(folder, tensor_file(header, b"\0" * 64 + data))
    assert_refused(folder, MalformedTensorFile)


ENTRIES = {
    "no object": 7,
    "no shape": {"dtype": "F32", "data_offsets": [0, 512]},
    "an unknown field": {"dtype": "F32", "shape": [4, 32], "data_offsets": [0, 512], "code": "import os"},
    "a fraction in the shape": {"dtype": "F32", "shape": [4.0, 32], "data_offsets": [0, 512]},
}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_an_entry_that_is_none(folder: Path, entry: object) -> None:
    header, data = header_and_data(folder)
    first = next(name for name in header if header[name].get("data_offsets") == [0, 512])
    put_weights(folder, tensor_file({**header, first: entry}, data))
    assert_refused(folder, MalformedTensorFile)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"dtype": ["F32"], "shape": [4, 32], "data_offsets": [0, 512]}, TensorDtypeMismatch),
        ({"shape": [4, 32], "data_offsets": [0, 512]}, MalformedTensorFile),
        ({"dtype": "F32", "shape": ["4", 32], "data_offsets": [0, 512]}, TensorShapeMismatch),
        ({"dtype": "F32", "shape": [2**70, 2**70], "data_offsets": [0, 512]}, TensorShapeMismatch),
    ],
)
def test_an_entry_with_another_claim(folder: Path, entry: object, error: type[AdapterFileError]) -> None:
    header, data = header_and_data(folder)
    put_weights(folder, tensor_file({**header, NAME: entry}, data))
    assert_refused(folder, error)


HEADERS = {
    "empty": b"",
    "no JSON": b"header",
    "no object": b"[1, 2, 3]",
    "no UTF-8": b'{"\xff": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a repeated name": b'{"a": {"dtype": "F32"}, "a": {"dtype": "F32"}}',
    "NaN": b'{"a": NaN}',
    "nested": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a little nested": b'{"a":' + b"[" * 900 + b"]" * 900 + b"}",
    "an endless number": b'{"a": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_none(folder: Path, header: bytes) -> None:
    put_weights(folder, tensor_file(header, b""))
    assert_refused(folder, MalformedTensorFile)


def test_metadata_that_is_no_text(folder: Path) -> None:
    header, data = header_and_data(folder)
    put_weights(folder, tensor_file({**header, "__metadata__": {"format": ["pt"]}}, data))
    assert_refused(folder, MalformedTensorFile)


@pytest.mark.parametrize("start", [b"\x80\x02", b"\x80\x05", b"PK"])
def test_a_sound_header_whose_length_reads_like_a_pickle_is_read(folder: Path, start: bytes) -> None:
    header, data = header_and_data(folder)
    text = json.dumps(header).encode()
    size = int.from_bytes(start, "little")
    size += 2**16 if size < len(text) else 0
    put_weights(folder, tensor_file(text.ljust(size), data))
    assert len(load_adapter(folder).tensors) == len(header) - 1


def test_weights_of_another_sound_adapter_of_the_same_shape(model: AdaptedModel, folder: Path, tmp_path: Path) -> None:
    other = random_adapter(model, AdapterConfig(method=LoraConfig(rank=4, alpha=8)), name="yo", seed=9)
    (other.save(tmp_path / "yo") / WEIGHTS_FILE).replace(folder / WEIGHTS_FILE)
    assert_refused(folder, WeightsChanged)


def test_one_flipped_bit(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[-4] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)
    assert_refused(folder, WeightsChanged)
