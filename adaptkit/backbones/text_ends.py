"""The tokens at which a backbone ends a text, as its `generation_config.json` names them beside its config."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from adaptkit.backbones.config_file import read_object
from adaptkit.backbones.stored_tensors import find_file
from adaptkit.errors import CorruptBackbone

GENERATION_FILE = "generation_config.json"
_ENDS = "eos_token_id"


def read_text_ends(source: str) -> tuple[int, ...]:
    """The token ids that a local folder or hub id names; chat models name more there than in their config.

    Raises:
        BackboneUnavailable: The hub does not answer.
        CorruptBackbone: The file is not a JSON object, or names something else than token ids.
    """
    path = find_file(source, GENERATION_FILE)
    told = None if path is None else read_object(path).get(_ENDS)
    ends = _listed(told)
    if not all(type(end) is int for end in ends):
        raise CorruptBackbone(
            f"{path} has {_ENDS} {told!r:.80}; read is a token id, or a list of them. Fetch the backbone again."
        )
    return tuple(ends)


def write_text_ends(folder: Path, ends: Collection[int]) -> None:
    """Add the file to a folder, or the tokens to the file that it has."""
    path = folder / GENERATION_FILE
    content = read_object(path) if path.exists() else {}
    every = sorted({*ends, *_listed(content.get(_ENDS))})
    path.write_text(json.dumps({**content, _ENDS: every}, indent=2) + "\n", encoding="utf-8")


def _listed(told: Any) -> list[Any]:  # noqa: ANN401 - whatever a file says
    return told if isinstance(told, list) else [] if told is None else [told]
