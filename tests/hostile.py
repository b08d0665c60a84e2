"""Ways to tamper with a saved adapter folder."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load, save
from torch import Tensor

from adaptkit.format.spec import RECORD_FILE, WEIGHTS_FILE

REMOVED = object()
"""As a value for `put`: take the field away."""


def put(folder: Path, file: str, field: str, value: object) -> None:
    """Set one field of a JSON file, named by its path (`backbone.shape.n_blocks`, `probes.0.ids`)."""
    content: Any = json.loads((folder / file).read_text())
    *path, last = field.split(".")
    place = _walk(content, path)
    if value is REMOVED:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    (folder / file).write_text(json.dumps(content))


def get(folder: Path, file: str, field: str = "") -> Any:  # noqa: ANN401 - JSON
    return _walk(json.loads((folder / file).read_text()), field.split(".") if field else [])


def tensors_of(folder: Path) -> dict[str, Tensor]:
    return load((folder / WEIGHTS_FILE).read_bytes())


def put_weights(folder: Path, content: bytes) -> None:
    """Write the weight file, and its hash into the record, as somebody would who tampers with both."""
    (folder / WEIGHTS_FILE).write_bytes(content)
    put(folder, RECORD_FILE, "weights_sha256", hashlib.sha256(content).hexdigest())


def put_tensors(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    put_weights(folder, save(dict(tensors), {"format": "pt"}))


def header_and_data(folder: Path) -> tuple[dict[str, Any], bytes]:
    content = (folder / WEIGHTS_FILE).read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def tensor_file(header: Mapping[str, object] | bytes, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _walk(content: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - JSON
    for step in path:
        content = content[int(step) if isinstance(content, list) else step]
    return content
