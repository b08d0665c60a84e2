"""A state dict that torch pickled. It is read only where a caller says so, and then nothing in it is run.

Three things stand between a pickle and this process: its archive holds no more than it weighs, its program names
nothing but what a state dict of tensors needs, and torch loads it with `weights_only=True`.
"""

import io
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from adaptkit.errors import (
    MalformedTensorFile,
    NonFiniteTensor,
    TensorDtypeMismatch,
    TensorSetMismatch,
    TensorShapeMismatch,
)
from adaptkit.format.tensor_file import Shapes

_NEEDED = {
    "collections OrderedDict",
    *("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter"),
    *("torch FloatStorage", "torch HalfStorage", "torch BFloat16Storage"),
}
_NAMING = {"GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"}
_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def load_pickled(content: bytes, path: Path) -> dict[str, object]:
    """What a state dict holds by name, unchecked but for being nothing that acts.

    Raises:
        MalformedTensorFile: No such file of torch, or one that asks for more than tensors.
    """
    _check_program(content, path)
    try:
        loaded: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a made-up file makes of torch's reader
        raise MalformedTensorFile(path, f"is not a sound state dict of torch ({type(error).__name__}).") from error
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        raise MalformedTensorFile(path, "holds something other than tensors by name.")
    return dict(loaded)


def tensors_of_pickled(loaded: Mapping[str, object], expected: Shapes, path: Path) -> dict[str, Tensor]:
    """The tensors of a state dict that must hold exactly the expected ones.

    Raises:
        TensorSetMismatch, TensorShapeMismatch, TensorDtypeMismatch, NonFiniteTensor: As for safetensors.
        MalformedTensorFile: Something that is not a plain tensor.
    """
    if loaded.keys() != expected.keys():
        raise TensorSetMismatch(path, sorted(expected.keys() - loaded.keys()), sorted(loaded.keys() - expected.keys()))
    return {name: _plain(name, loaded[name], shape, path) for name, shape in expected.items()}


def _check_program(content: bytes, path: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            programs = [entry for entry in entries if entry.filename.endswith("data.pkl")]
            if len(programs) != 1 or sum(entry.file_size for entry in entries) > len(content):
                raise MalformedTensorFile(path, "is an archive, and not as torch writes them.")
            program = archive.read(programs[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise MalformedTensorFile(
            path,
            "is not a file as torch has written them since version 1.6. Load the adapter in AdapterHub's adapters and "
            "save it again: save_adapter(folder, name, use_safetensors=True).",
        ) from error
    try:
        named = {
            str(argument or code.name) for code, argument, _ in pickletools.genops(program) if code.name in _NAMING
        }
    except Exception as error:  # pickletools raises what it meets
        raise MalformedTensorFile(path, "holds a pickle that is cut or broken.") from error
    if foreign := sorted(named - _NEEDED):
        raise MalformedTensorFile(
            path,
            f"asks for {foreign[0]!r:.80}, which no state dict of tensors needs: loading it otherwise could run code. "
            "It was not loaded.",
        )


def _plain(name: str, value: object, shape: tuple[int, ...], path: Path) -> Tensor:
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.device.type != "cpu":
        raise MalformedTensorFile(path, f"holds something other than a plain tensor under {name}.")
    if value.dtype not in _DTYPES:
        raise TensorDtypeMismatch(path, f"tensor {name} has type {value.dtype}; adapters hold float32, 16 or bfloat16.")
    # Before anything is computed with it, as a tensor's shape may claim what its storage does not hold.
    if tuple(value.shape) != shape:
        raise TensorShapeMismatch(path, f"tensor {name} has shape {tuple(value.shape)}, expected {shape}.")
    if not bool(torch.isfinite(value).all()):
        raise NonFiniteTensor(path, f"tensor {name} holds NaN or Inf; the adapter is broken. Train or fetch it again.")
    return value.detach().clone(memory_format=torch.contiguous_format)
