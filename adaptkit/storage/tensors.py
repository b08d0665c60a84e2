"""Tensors of an adapter, read from a file that was checked."""

from pathlib import Path

from safetensors.torch import load
from torch import Tensor

from adaptkit.format.tensor_file import Shapes, check_tensors


def parse_tensors(content: bytes, expected: Shapes, path: Path) -> dict[str, Tensor]:
    """Read a safetensors file that must hold exactly the expected tensors.

    Raises:
        AdapterFileError: As `check_tensors`.
    """
    check_tensors(content, expected, path)
    tensors = load(content)
    return {name: tensors[name] for name in expected}
