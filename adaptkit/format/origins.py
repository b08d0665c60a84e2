"""Backbones as records name them: thousands of records in a zoo say the same of one, which is read once."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.format.folder import parse_object

_FIELD = "backbone"
_START, _END = b'\n "backbone": ', b"\n }"
# No file can hold it, so that where it is read back, the field stood there.
_TOKEN = secrets.token_hex(16)
_MOST_KEPT = 8
_kept: dict[tuple[object, bytes], object] = {}


@dataclass(frozen=True)
class SharedField:
    """The content of a record, whose field `backbone` may be decoded already, and how its text is kept for the next."""

    content: Mapping[str, object]
    text: bytes

    @classmethod
    def read(cls, content: bytes, path: Path) -> "SharedField":
        """Parse a record. Where the very bytes of its `backbone` were decoded before, that is its value.

        Raises:
            MalformedConfig: As `parse_object`.
        """
        text = _text_of_field(content)
        if text and any(known == text for _, known in list(_kept)):
            parsed = parse_object(content.replace(text, f'"{_TOKEN}"'.encode(), 1), path)
            version = parsed.get("format_version")
            origin = _kept.get((version, text)) if type(version) is int else None
            if origin is not None and parsed.get(_FIELD) == _TOKEN:
                return cls({**parsed, _FIELD: origin}, text)
        return cls(parse_object(content, path), text)

    def keep(self, decoded: object, path: Path) -> None:
        """Remember what the field was decoded to, if its text is what was found in the file."""
        raw = self.content.get(_FIELD)
        if self.text and raw is not decoded and parse_object(self.text, path) == raw:
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[self.content.get("format_version"), self.text] = decoded


def _text_of_field(content: bytes) -> bytes:
    """The JSON object at the field, as `Adapter.save` lays it out; empty where it lies otherwise."""
    start = content.find(_START + b"{")
    end = content.find(_END, start)
    return content[start + len(_START) : end + len(_END)] if 0 <= start < end else b""
