"""Folders of AdapterHub's `adapters`, read as adapters of ours with the same outputs."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from adaptkit.composition import AdapterId
from adaptkit.config import Kind
from adaptkit.errors import ArchitectureMismatch, MalformedConfig, NotConvertible
from adaptkit.format import spec
from adaptkit.format.architectures import ARCHITECTURES, architecture_of
from adaptkit.format.card import Card
from adaptkit.format.folder import Folder, read_json
from adaptkit.format.shapes import BackboneShape
from adaptkit.interchange.adapterhub_bottleneck import reading_of_bottleneck
from adaptkit.interchange.adapterhub_fields import Reading
from adaptkit.interchange.adapterhub_lora import reading_of_lora
from adaptkit.interchange.adapterhub_weights import read_weights
from adaptkit.interchange.written_by import written_by
from adaptkit.languages import canonical_tag
from adaptkit.model import AdaptedModel, load_model
from adaptkit.model.making import made
from adaptkit.storage import Adapter
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.plain_text import one_line

_HEAD = "head_config.json"
_HEAD_WEIGHTS = ("pytorch_model_head.bin", "model_head.safetensors")
_OTHER_PARTS = {
    "embedding.pt": "embeddings of its own",
    "adapter_fusion_config.json": "an AdapterFusion",
    "pytorch_model_adapter_fusion.bin": "an AdapterFusion",
    "model_adapter_fusion.safetensors": "an AdapterFusion",
    "adapter_setup.json": "a setup of several adapters",
    "adapter_interface.json": "an interface to a model of its own",
}
_ENDS_OF_LANGUAGE_MODELS = ("ForMaskedLM", "ForCausalLM", "LMHeadModel")
_LANGUAGE_HEADS = ("masked_lm", "causal_lm")
# What the activations were called before the config said a version.
_ACTIVATIONS_WITHOUT_VERSION = {"gelu": "gelu_new", "gelu_orig": "gelu"}


def import_adapterhub(
    folder: str | PathLike[str],
    *,
    lang: str,
    domain: str | None = None,
    backbone: str | AdaptedModel | None = None,
    licence: str = "not stated",
    allow_pickle: bool = False,
    without_head: bool = False,
) -> Adapter:
    """Read what `model.save_adapter(folder, name)` of AdapterHub's `adapters` wrote, as a language or `domain` adapter.

    The result gives what theirs gives on the same backbone, which is for you to name. Read are `seq_bn`, `seq_bn_inv`
    and `lora`, and other settings under which bottlenecks compute the same as ours. The weights are safetensors; with
    `allow_pickle`, a pickle is read too, by torch's `weights_only` reader. A head that predicts tokens is left out, and
    a task's with `without_head`; the card names it.

    Raises:
        AdapterFileError: The folder is not sound.
        ArchitectureMismatch: It is for another kind or width of backbone.
        NotConvertible: It has what our layers do not compute, a task's head, or an unasked-for pickle.
        ConfigError: A wrong option; `UnknownLanguage` for `lang`.
    """
    path, language = Path(folder), canonical_tag(lang)
    kind: Kind = "language" if domain is None else "domain"
    adapter_id = AdapterId(kind, language if domain is None else domain)
    left_out = _left_out(path, without_head=without_head)
    if written_by(path) != "adapterhub":
        raise NotConvertible(f"{path} is a folder of peft; read it with adaptkit.import_peft.")
    whole = read_json(Folder(path), spec.CONFIG_FILE)
    model = backbone if isinstance(backbone, AdaptedModel) else load_model(backbone)
    _check_backbone(whole, model.backbone.shape, path)
    reading = _reading(whole, model.backbone.shape, path / spec.CONFIG_FILE)
    config, tensors = reading.converted(read_weights(path, reading.shapes, allow_pickle=allow_pickle))
    said = _backbone_said(whole) or "a backbone without a name"
    return made(
        model,
        kind=kind,
        name=adapter_id.name,
        language=language,
        config=config,
        tensors=tensors,
        card=Card(
            source=f"imported from an AdapterHub folder, which says it was trained on {said}{left_out}", licence=licence
        ),
    )


def _left_out(path: Path, *, without_head: bool) -> str:
    """What the card says of a head. One that predicts tokens is no part of what a language adapter gives.

    Raises:
        NotConvertible: Another head, or another part that the adapter does not compute without.
    """
    for name, what in _OTHER_PARTS.items():
        if (path / name).exists():
            raise NotConvertible(f"{path} holds {name}: {what}, which is not read.")
    if not (path / _HEAD).exists():
        weights = next((name for name in _HEAD_WEIGHTS if (path / name).exists()), None)
        if weights is not None and not without_head:
            raise NotConvertible(
                f"{path} holds {weights}: a head without its config. Leave it out: {as_typed(without_head=True)}."
            )
        return f"; its head ({weights}) is left out" if weights else ""
    content = read_json(Folder(path), _HEAD)
    config, model_class = content.get("config"), content.get("model_class")
    head = config.get("head_type") if isinstance(config, dict) else model_class
    predicts_tokens = head in _LANGUAGE_HEADS or (isinstance(head, str) and head.endswith(_ENDS_OF_LANGUAGE_MODELS))
    if not predicts_tokens and not without_head:
        raise NotConvertible(
            f"{path} holds {_HEAD}: a head ({head!r:.80}), whose outputs would be lost. If the adapter alone is what "
            f"you need, leave the head out: {as_typed(without_head=True)}."
        )
    return f"; its head ({one_line(str(head), at_most=80)}) is left out"


def _check_backbone(whole: Mapping[str, object], shape: BackboneShape, path: Path) -> None:
    said = {"model_type": shape.model_type, "hidden_size": shape.hidden_width}
    for name, ours in said.items():
        theirs = whole.get(name, ours)
        if theirs != ours:
            raise ArchitectureMismatch(
                f"{path} was made for a backbone with {name} {theirs!r:.40}, and this one has {ours!r}. Name the "
                f"backbone that it was trained on ({as_typed(backbone=...)})."
            )
    if not architecture_of(shape.model_type).adapterhub:
        read = ", ".join(name for name, row in ARCHITECTURES.items() if row.adapterhub)
        raise NotConvertible(f"{path} is for a {shape.model_type} backbone; read are adapters of {read}.")


def _reading(whole: Mapping[str, object], shape: BackboneShape, file: Path) -> Reading:
    config, name, version = whole["config"], whole["name"], whole.get("version")
    if not isinstance(config, dict) or not isinstance(name, str):
        raise MalformedConfig(file, "has no object 'config' with the text 'name' beside it.")
    if config.get("leave_out", []) is None:
        config = {**config, "leave_out": []}
    architecture = config.get("architecture")
    if architecture == "lora":
        return reading_of_lora(config, name, shape, file, version)
    if architecture is not None:
        raise NotConvertible(f"{file} has the architecture {architecture!r:.80}; read are bottlenecks and 'lora'.")
    activation = config.get("non_linearity")
    if "version" not in whole and isinstance(activation, str):
        config = {**config, "non_linearity": _ACTIVATIONS_WITHOUT_VERSION.get(activation, activation)}
    return reading_of_bottleneck(config, name, shape, file)


def _backbone_said(whole: Mapping[str, object]) -> str:
    """What the backbone was called, without the folders of somebody's machine."""
    name = whole.get("model_name")
    if not isinstance(name, str):
        return ""
    return " ".join((Path(name).name if Path(name).is_absolute() else name).split())[:120]
