"""Folders of peft, read as adapters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.config import Kind
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format import spec
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card
from adaptkit.format.folder import Folder, read_json
from adaptkit.interchange import peft_ia3, peft_lora
from adaptkit.interchange.peft_folder import PeftFolder
from adaptkit.languages import canonical_tag
from adaptkit.methods import MethodConfig
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.making import made
from adaptkit.storage import Adapter
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import is_one_line, one_line

_UNDERSTOOD = {
    # What says nothing of outputs, and where layers act, which the tensors say.
    *("peft_type", "auto_mapping", "base_model_name_or_path", "inference_mode", "peft_version", "revision"),
    *("runtime_config", "target_modules", "exclude_modules", "task_type"),
}
_PICKLE = "adapter_model.bin"
_HEAD_FIELD = "modules_to_save"


@dataclass(frozen=True)
class _PeftType:
    """A peft type that is read: the fields of its config that are understood, a check of them, how it is read."""

    understood: set[str]
    read: Callable[[PeftFolder, AdaptedModel], tuple[MethodConfig, dict[str, Tensor]]]
    check: Callable[[Mapping[str, object], Path], None] = lambda *_: None


_TYPES = {
    "LORA": _PeftType(peft_lora.UNDERSTOOD, peft_lora.read_lora, peft_lora.check_lora),
    "IA3": _PeftType(peft_ia3.UNDERSTOOD, peft_ia3.read_ia3),
}


def import_peft(
    folder: str | PathLike[str],
    *,
    lang: str,
    domain: str | None = None,
    backbone: str | AdaptedModel | None = None,
    licence: str = "not stated",
    without_head: bool = False,
) -> Adapter:
    """Read what peft saved as a language adapter, or with `domain` as a domain adapter of that name.

    LoRA, DoRA and IA3 are read, with rank stabilisation and patterns of ranks and alphas. The result gives what peft
    gives with the same folder on the same backbone, which is for you to name: a peft folder says only what its backbone
    was called. It may have been trained inside any class with a head; what was trained of the head is left out with
    `without_head`, and the card names it.

    Raises:
        AdapterFileError: The folder is not a sound adapter of peft, or not one for this backbone.
        NotConvertible: It has what our layers do not compute: biases, trained embeddings; or a head, without
            `without_head`.
        ConfigError: A wrong option; `UnknownLanguage` for `lang`.
    """
    path, language = Path(folder), canonical_tag(lang)
    if not is_one_line(licence):
        raise ConfigError(f"the licence {licence!r} is not one line; give its name.")
    kind: Kind = "language" if domain is None else "domain"
    adapter_id = AdapterId(kind, language if domain is None else domain)
    if (path / _PICKLE).exists() and not (path / spec.WEIGHTS_FILE).exists():
        raise NotConvertible(
            f"{path} holds {_PICKLE}, a pickle, which can run code and is not read. Save it again with peft: "
            "save_pretrained(folder) writes safetensors."
        )
    config = read_json(Folder(path), spec.CONFIG_FILE)
    peft_type = _checked(config, path / spec.CONFIG_FILE, without_head=without_head)
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    saved = PeftFolder.read(path, config, model.backbone.shape.sites())
    method, tensors = peft_type.read(saved, model)
    head = saved.named.head
    if head and not without_head:
        raise NotConvertible(
            f"{path / spec.WEIGHTS_FILE} holds a head beside the {config['peft_type']} layers ({head}), whose outputs "
            f"would be lost. If the layers alone are what you need, leave the head out: {as_typed(without_head=True)}."
        )
    said = one_line(str(config.get("base_model_name_or_path") or "a backbone without a name"), at_most=200)
    return made(
        model,
        kind=kind,
        name=adapter_id.name,
        language=language,
        config=AdapterConfig(method=method),
        tensors=tensors,
        card=Card(
            source=f"imported from a peft folder, which says it was trained on {said}"
            + (f"; its head ({head}) is left out" if head else ""),
            licence=licence,
        ),
    )


def _checked(config: Mapping[str, object], path: Path, *, without_head: bool) -> _PeftType:
    peft_type = _TYPES.get(str(config.get("peft_type")))
    if peft_type is None:
        raise NotConvertible(f"{path} has peft_type {config.get('peft_type')!r:.80}; read are {', '.join(_TYPES)}.")
    peft_type.check(config, path)
    if (trained := config.get(_HEAD_FIELD)) and not without_head:
        raise NotConvertible(
            f"{path} says that more was trained than the {config['peft_type']} layers ({_HEAD_FIELD} {trained!r:.80}). "
            f"If that is a head, and the layers alone are what you need, leave it out: {as_typed(without_head=True)}."
        )
    neutral = {"bias": "none"}
    for name, value in config.items():
        known = name in {_HEAD_FIELD, *_UNDERSTOOD, *peft_type.understood}
        if not known and value and value != neutral.get(name):
            raise NotConvertible(f"{path} has {name} {value!r:.80}, which adaptkit does not compute with.")
    return peft_type
