"""LoRAs written for plain `PeftModel.from_pretrained`, for the transformers class that they will be used on.

peft finds a layer by its path, and a class with a head has the backbone under a name of its own: a folder for one class
does nothing on another.
"""

import json
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import torch
import transformers
from safetensors.torch import save as serialise
from transformers import AutoConfig, AutoModel

from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.config_file import is_peft, to_json
from adaptkit.format.folder import write_folder
from adaptkit.format.transformers_classes import ForClass
from adaptkit.methods import LoraConfig
from adaptkit.storage import Adapter
from adaptkit.terminal.asking import as_typed

_CAUSAL: ForClass = "AutoModelForCausalLM"


def export_peft(
    adapter: Adapter,
    folder: str | PathLike[str],
    *,
    for_class: ForClass = "AutoModel",
    without_head: bool = False,
) -> Path:
    """Write a LoRA as a folder that `PeftModel.from_pretrained` loads; `without_head` leaves a task's head out.

    `for_class` is the transformers class of the model that peft puts it on, such as `AutoModelForCausalLM`. On another
    one, peft finds none of its layers: the adapter does nothing there. For `AutoModel`, the folder is an adapter's, as
    `Adapter.save` writes it of a LoRA and nothing else; for other classes it is peft's alone, and `import_peft` reads
    it.

    Raises:
        NotConvertible: peft has no such layers, or transformers no such class for this backbone.
        ConfigError: The adapter has a head, the class is not known, or something is in the folder.
    """
    if for_class not in get_args(ForClass):
        raise ConfigError(f"for_class is one of {', '.join(get_args(ForClass))}; found {for_class!r}.")
    alone = _lora_alone(adapter, without_head=without_head)
    if for_class == "AutoModel":
        return alone.save(folder)
    inside = _Inside.of(for_class, alone.origin.shape.model_type)
    config = to_json(alone.config, alone.origin.shape, alone.origin.name)
    targets = config["target_modules"]
    assert isinstance(targets, list)  # noqa: S101 - as to_json makes it for a LoRA
    # peft fails on a folder of any other task type that has no trained head in it.
    of_class = (
        {"task_type": "CAUSAL_LM"}
        if for_class == _CAUSAL
        else {"auto_mapping": {"base_model_class": inside.name, "parent_library": inside.module}}
    )
    changed = {"target_modules": [f"{inside.path}.{target}" for target in targets], **of_class}
    prefix = f"{spec.PEFT_PREFIX}{inside.path}."
    tensors = {prefix + name: tensor.contiguous() for name, tensor in alone.tensors.items()}
    files = {
        spec.WEIGHTS_FILE: serialise(tensors, {"format": "pt"}),
        spec.CONFIG_FILE: (json.dumps({**config, **changed}, indent=1, ensure_ascii=False) + "\n").encode(),
    }
    write_folder(Path(folder), files)
    return Path(folder)


def _lora_alone(adapter: Adapter, *, without_head: bool) -> Adapter:
    method = adapter.config.method
    if not isinstance(method, LoraConfig) or adapter.config.invertible is not None:
        raise NotConvertible(
            f"{adapter.id} is no LoRA alone ({adapter.config.method_name}), and peft computes nothing else of it."
        )
    if adapter.config.head is not None and not without_head:
        raise ConfigError(
            f"{adapter.id} has a head, which peft has no place for. Export its LoRA alone with "
            f"{as_typed(without_head=True)}; the "
            "head's tensors stay in the folder that you have."
        )
    if adapter.config.hides_top_block:
        raise NotConvertible(f"{adapter.id} stops what lies below in the last block, which peft cannot do.")
    alone = AdapterConfig(method=method)
    assert is_peft(alone)  # noqa: S101 - what was asked above
    tensors = {name: tensor for name, tensor in adapter.tensors.items() if not name.startswith("head.")}
    return replace(adapter, config=alone, tensors=tensors)


@dataclass(frozen=True)
class _Inside:
    """Where a class of transformers has the backbone: its own name, its Python module, the path of the backbone."""

    name: str
    module: str
    path: str

    @classmethod
    def of(cls, for_class: ForClass, model_type: str) -> "_Inside":
        auto: Any = getattr(transformers, for_class)
        # A class of its own is asked, as not all of a family call it alike: `model` in LlamaForCausalLM, `transformer`
        # in LlamaForQuestionAnswering.
        config = AutoConfig.for_model(model_type, num_hidden_layers=1, is_decoder=for_class == _CAUSAL)
        if type(config) not in auto._model_mapping:
            raise NotConvertible(
                f"transformers has no {for_class} of a {model_type} backbone; name the class that will be used."
            )
        with torch.device("meta"):
            whole = auto.from_config(config)
        bare: Any = AutoModel._model_mapping[type(config)]
        (path,) = (path for path, module in whole.named_modules() if type(module) is bare)
        return cls(type(whole).__name__, type(whole).__module__, path)
