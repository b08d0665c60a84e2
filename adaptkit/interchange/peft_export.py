"""LoRAs and IA3s written for plain `PeftModel.from_pretrained`, for the transformers class that they will be used on.

peft finds a layer by its path, and a class with a head has the backbone under a name of its own: a folder for one class
does nothing on another.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import torch
import transformers
from safetensors.torch import save as serialise
from torch import Tensor
from transformers import AutoConfig, AutoModel

from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.config_file import is_peft, to_json
from adaptkit.format.folder import write_folder
from adaptkit.format.tensor_shapes import HEAD, PROJECTION
from adaptkit.format.transformers_classes import ForClass
from adaptkit.interchange.peft_ia3 import ia3_for_peft
from adaptkit.methods import Ia3Config, LoraConfig
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed

_ON_TOP = (f"{HEAD}.", f"{PROJECTION}.")
_BARE: ForClass = "AutoModel"
_CAUSAL: ForClass = "AutoModelForCausalLM"
_IA3: dict[str, object] = {"peft_type": "IA3", "task_type": None, "fan_in_fan_out": False, "inference_mode": True}
_log = logging.getLogger(__name__)


def export_peft(
    adapter: Adapter,
    folder: str | PathLike[str],
    *,
    for_class: ForClass = "AutoModel",
    without_head: bool = False,
) -> Path:
    """Write a LoRA or an IA3 as a folder that `PeftModel.from_pretrained` loads.

    `without_head` leaves a head and a kept projection out.

    `for_class` is the transformers class of the model that peft puts it on, such as `AutoModelForCausalLM`. On another
    one, peft finds none of its layers: the adapter does nothing there. A LoRA for `AutoModel` is an adapter's folder,
    as `Adapter.save` writes it of a LoRA and nothing else; any other is peft's alone, and `import_peft` reads it.

    Raises:
        NotConvertible: peft has no such layers, or transformers no such class for this backbone.
        ConfigError: The adapter has a head, the class is not known, or something is in the folder.
    """
    if for_class not in get_args(ForClass):
        raise ConfigError(f"for_class is one of {', '.join(get_args(ForClass))}; found {for_class!r}.")
    alone = _alone(adapter, without_head=without_head)
    if for_class == _BARE and is_peft(alone.config):
        return alone.save(folder)
    inside = _Inside.of(for_class, alone.origin.shape.model_type)
    config, modules, tensors = _layers(alone)
    content = {
        **config,
        **{field: [f"{inside.prefix}{module}" for module in found] for field, found in modules.items()},
        **inside.config,
    }
    files = {
        spec.WEIGHTS_FILE: serialise(
            {f"{spec.PEFT_PREFIX}{inside.prefix}{name}": tensor.contiguous() for name, tensor in tensors.items()},
            {"format": "pt"},
        ),
        spec.CONFIG_FILE: (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode(),
    }
    write_folder(Path(folder), files)
    return Path(folder)


def _layers(adapter: Adapter) -> tuple[dict[str, object], dict[str, list[str]], Mapping[str, Tensor]]:
    """The config, the fields of it that name modules, and the tensors, by module paths of the bare backbone."""
    shape, method = adapter.origin.shape, adapter.config.method
    if isinstance(method, Ia3Config):
        modules, tensors = ia3_for_peft(method, adapter.tensors, shape)
        return {**_IA3, "base_model_name_or_path": adapter.origin.name}, modules, tensors
    config = to_json(adapter.config, shape, adapter.origin.name)
    targets = config["target_modules"]
    assert isinstance(targets, list)  # noqa: S101 - as to_json makes it for a LoRA
    return config, {"target_modules": targets}, adapter.tensors


def warn_of_prefix(head: HeadConfig | None, named: str) -> None:
    """Say that texts were read behind a prefix which a folder without this head does not name."""
    if head is not None and head.text_prefix is not None:
        _log.warning(
            "%s was trained on texts behind the prefix %r, which goes with its head; put it before each text yourself.",
            named,
            head.text_prefix,
        )


def _alone(adapter: Adapter, *, without_head: bool) -> Adapter:
    method = adapter.config.method
    if not isinstance(method, LoraConfig | Ia3Config) or adapter.config.invertible is not None:
        raise NotConvertible(
            f"{adapter.id} is no LoRA or IA3 alone ({adapter.config.method_name}), and peft computes nothing else of "
            "it that is written here."
        )
    if adapter.config.head is not None and not without_head:
        raise ConfigError(
            f"{adapter.id} has a head, which peft has no place for. Export it without with "
            f"{as_typed(without_head=True)}; the head's tensors stay in the folder that you have."
        )
    if adapter.config.projection is not None and not without_head:
        raise ConfigError(
            f"{adapter.id} has kept its projection to tokens, which peft has no place for. Export it without with "
            f"{as_typed(without_head=True)}; its tensors stay in the folder that you have."
        )
    if adapter.config.pieces is not None:
        raise NotConvertible(
            f"{adapter.id} brings {len(adapter.config.pieces):,} pieces of text with it, for which peft has no place; "
            "without them, its LoRA would read unknown tokens."
        )
    if adapter.config.hides_top_block:
        raise NotConvertible(f"{adapter.id} stops what lies below in the last block, which peft cannot do.")
    warn_of_prefix(adapter.config.head, str(adapter.id))
    tensors = {name: tensor for name, tensor in adapter.tensors.items() if not name.startswith(_ON_TOP)}
    return replace(adapter, config=AdapterConfig(method=method), tensors=tensors)


@dataclass(frozen=True)
class _Inside:
    """Where a class of transformers has the backbone, and what peft's config says of that class."""

    prefix: str
    config: Mapping[str, object]

    @classmethod
    def of(cls, for_class: ForClass, model_type: str) -> "_Inside":
        if for_class == _BARE:
            return cls("", {})
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
        # peft fails on a folder of any other task type that has no trained head in it.
        return cls(f"{path}.", {"task_type": "CAUSAL_LM"} if for_class == _CAUSAL else _mapping_of(type(whole)))


def _mapping_of(network: type) -> dict[str, object]:
    return {"auto_mapping": {"base_model_class": network.__name__, "parent_library": network.__module__}}
