"""The first blocks of an embedded backbone as one of their own: its pieces, its weights, and a part of the work."""

import json
import re
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file, save_file

from adaptkit.backbones import place
from adaptkit.backbones.kept_folder import written_whole

N_BLOCKS = 4
_BLOCK = re.compile(r"\blayers?\.(\d+)\.")
_WEIGHTS, _SETTINGS = "model.safetensors", "config.json"


def embedded(name: str, folder: Path) -> place.EmbeddedBackbone:
    """What stands for it in the table of embedded backbones; the folder is made on first use, by one process of all."""
    whole = place.EMBEDDED[name]

    def materialise() -> Path:
        if not folder.is_dir():
            _write(whole.materialise(), folder)
        return folder

    return replace(whole, materialise=materialise)


def _write(whole: Path, folder: Path) -> None:
    with written_whole(folder) as partial:
        for file in whole.iterdir():
            if file.name not in (_WEIGHTS, _SETTINGS):
                (partial / file.name).symlink_to(file)
        settings = {**json.loads((whole / _SETTINGS).read_text()), "num_hidden_layers": N_BLOCKS}
        (partial / _SETTINGS).write_text(json.dumps(settings))
        tensors = {name: tensor for name, tensor in load_file(whole / _WEIGHTS).items() if _is_left(name)}
        save_file(tensors, partial / _WEIGHTS, metadata={"format": "pt"})


def _is_left(name: str) -> bool:
    block = _BLOCK.search(name)
    return block is None or int(block[1]) < N_BLOCKS
