"""What a GGUF file says of itself: its fields and where its tensors lie. Nothing of a tensor is read here.

The layout is llama.cpp's: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Every count and length is bounded
by the size of the file before anything is made of it.
"""

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptkit.errors import BackboneUnavailable, CorruptBackbone
from adaptkit.version import install_command

MAGIC = b"GGUF"
ENDING = ".gguf"
_VERSIONS = (2, 3)
_MOST_FIELDS = _MOST_TENSORS = 65_536
_MOST_DIMENSIONS = 4
_ALIGNMENT = 32
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_AGAIN = "Fetch the file again."


@dataclass(frozen=True)
class GgufEntry:
    """Where a tensor lies: its shape as torch has it, the number of its type, and its first byte in the file."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def kind_name(self) -> str:
        """The type as llama.cpp calls it, `Q4_1` for example."""
        import gguf

        name: str = gguf.GGMLQuantizationType(self.kind).name
        return name

    @property
    def block(self) -> tuple[int, int]:
        """How many values a block of the type holds, and in how many bytes."""
        import gguf

        values, n_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(self.kind)]
        return values, n_bytes


@dataclass(frozen=True)
class GgufFile:
    """A file's fields and tensors, by name."""

    path: Path
    fields: Mapping[str, Any]
    entries: Mapping[str, GgufEntry]

    @classmethod
    def of(cls, path: Path) -> "GgufFile":
        """Read the head of a file.

        Raises:
            BackboneUnavailable: The package `gguf` is not installed, or there is no such file.
            CorruptBackbone: It is no GGUF file, is cut off or contradicts itself.
        """
        _require_package()
        if not path.is_file():
            raise BackboneUnavailable(f"there is no file {str(path)!r}. Name a GGUF file on this machine.")
        try:
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = _Head(content).read(path)
        except (struct.error, ValueError, KeyError, OverflowError) as error:
            raise CorruptBackbone(f"{path.name} is cut off or contradicts itself: {error}. {_AGAIN}") from error
        return found


def is_gguf(source: str) -> bool:
    """Whether that is meant to be a GGUF file: a file, or a name that ends like one."""
    return Path(source).is_file() or (source.lower().endswith(ENDING) and not Path(source).is_dir())


def _require_package() -> None:
    try:
        import gguf  # noqa: F401
    except ImportError:
        raise BackboneUnavailable(
            f"a GGUF file is read with the package gguf. Run: {install_command('gguf')}"
        ) from None


class _Head:
    """Walks through the head of a file."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._at = 0

    def read(self, path: Path) -> GgufFile:
        if self._content[:4] != MAGIC:
            raise ValueError(f"its first bytes are {self._content[:4]!r}, and a GGUF file begins with {MAGIC!r}")
        self._at = 4
        version = self._number("I")
        if version not in _VERSIONS:
            raise ValueError(f"it is of version {version}; versions {_VERSIONS} are read")
        n_tensors, n_fields = self._count(_MOST_TENSORS, "tensors"), self._count(_MOST_FIELDS, "fields")
        fields: dict[str, Any] = {}
        for _ in range(n_fields):
            name = self._text()
            _require_new(name, fields)
            fields[name] = self._value(self._number("I"))
        heads: dict[str, tuple[tuple[int, ...], int, int]] = {}
        for _ in range(n_tensors):
            name = self._text()
            _require_new(name, heads)
            heads[name] = self._tensor_head()
        return GgufFile(path, fields, self._entries(heads, fields.get("general.alignment", _ALIGNMENT)))

    def _entries(self, heads: dict[str, tuple[tuple[int, ...], int, int]], alignment: object) -> dict[str, GgufEntry]:
        if type(alignment) is not int or alignment < 1:
            raise ValueError(f"its alignment is {alignment!r}")
        start = -(-self._at // alignment) * alignment
        entries = {name: GgufEntry(name, shape, kind, start + at) for name, (shape, kind, at) in heads.items()}
        for entry in entries.values():
            values, n_bytes = entry.block
            if not entry.shape or entry.shape[-1] % values:
                raise ValueError(
                    f"{entry.name!r:.80} of shape {entry.shape} is no whole number of {entry.kind_name} blocks"
                )
            end = entry.offset + math.prod(entry.shape) // values * n_bytes
            if end > len(self._content):
                raise ValueError(f"{entry.name!r:.80} ends at byte {end:,}, and the file has {len(self._content):,}")
        return entries

    def _tensor_head(self) -> tuple[tuple[int, ...], int, int]:
        n_dimensions = self._number("I")
        if n_dimensions > _MOST_DIMENSIONS:
            raise ValueError(f"a tensor of {n_dimensions} dimensions")
        # The fastest one comes first there, and last in torch.
        shape = tuple(reversed([self._number("Q") for _ in range(n_dimensions)]))
        return shape, self._number("I"), self._number("Q")

    def _value(self, kind: int) -> object:
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            return self._number(_NUMBERS[kind])
        kind, count = self._number("I"), self._count(len(self._content), "values in a list")
        if kind == _STRING:
            return [self._text() for _ in range(count)]
        form = f"<{count}{_NUMBERS[kind]}"
        found = list(struct.unpack_from(form, self._content, self._at))
        self._at += struct.calcsize(form)
        return found

    def _count(self, most: int, what: str) -> int:
        count: int = self._number("Q")
        if count > most:
            raise ValueError(f"it says that there are {count:,} {what}")
        return count

    def _text(self) -> str:
        length = self._number("Q")
        start = self._at
        self._skip(length)
        return self._content[start : self._at].decode("utf-8")

    def _skip(self, n_bytes: int) -> None:
        if n_bytes > len(self._content) - self._at:
            raise ValueError(f"a text of {n_bytes:,} bytes goes beyond its end")
        self._at += n_bytes

    def _number(self, form: str) -> Any:  # noqa: ANN401 - as the form says
        (found,) = struct.unpack_from(f"<{form}", self._content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return found


def _require_new(name: str, there: Mapping[str, object]) -> None:
    if name in there:
        raise ValueError(f"{name!r:.80} is there twice")
