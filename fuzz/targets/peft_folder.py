"""Folders that say they are a LoRA or an IA3 of peft."""

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

import torch
from safetensors.torch import save as serialise

from adaptkit.format.spec import CONFIG_FILE, WEIGHTS_FILE
from adaptkit.interchange import import_peft
from adaptkit.storage import Adapter
from fuzz.folder_mutation import changed_folder
from fuzz.parcel import pack
from fuzz.soundness import check_adapter, check_untouched
from fuzz.target import Target
from fuzz.targets.folders import FOLDER, lay_out_folder, tiny

_LORA = Path(__file__).parents[2] / "tests" / "golden" / "v1" / "lora"
_CHANGES: list[dict[str, object]] = [
    {},
    {"alpha_pattern": {"query": 3, r"^encoder\.layer\.0\.attention\.self\.query": 9.5}, "rank_pattern": {"value": 2}},
    {"use_rslora": True, "auto_mapping": None, "peft_version": "0.21.0", "loftq_config": {}, "exclude_modules": None},
    {"init_lora_weights": "gaussian", "target_modules": "all-linear", "modules_to_save": None, "use_dora": False},
]

_IA3 = {"peft_type": "IA3", "feedforward_modules": ["output.dense"], "target_modules": ["key", "output.dense"]}
_BLOCK = "base_model.model.encoder.layer.1"
_SCALES = {
    f"{_BLOCK}.attention.self.key.ia3_l": torch.full((32, 1), 1.5),
    f"{_BLOCK}.attention.output.dense.ia3_l": torch.full((1, 32), 0.5),
    f"{_BLOCK}.output.dense.ia3_l": torch.full((1, 64), 0.75),
}


@cache
def _seeds() -> list[bytes]:
    config = json.loads((_LORA / CONFIG_FILE).read_text())
    weights = (_LORA / WEIGHTS_FILE).read_bytes()
    loras = [({**config, **changes}, weights) for changes in _CHANGES]
    return [
        pack({CONFIG_FILE: (b"f", json.dumps(said).encode()), WEIGHTS_FILE: (b"f", held)})
        for said, held in [*loras, (_IA3, serialise(_SCALES))]
    ]


def _changed(data: bytes, random: Random) -> bytes:
    return changed_folder(data, random, _seeds())


def _import(_data: bytes) -> Callable[[], None]:
    model, before = tiny("bert")
    try:
        adapter = import_peft(FOLDER, lang="sw", backbone=model)
    finally:
        check_untouched(model, before)
    return partial(_check, adapter)


def _check(adapter: Adapter) -> None:
    check_adapter(adapter)
    model, before = tiny("bert")
    model.attach(adapter)
    model.detach(adapter.id)
    check_untouched(model, before)


IMPORT = Target(seeds=_seeds, mutate=_changed, prepare=lay_out_folder, read=_import)
