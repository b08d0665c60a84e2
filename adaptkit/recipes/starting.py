"""The weights that a training starts from: those of another adapter, where one is named."""

import os
from collections.abc import Mapping
from dataclasses import replace

import torch

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones import Backbone
from adaptkit.config import Kind
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.options import Recorded
from adaptkit.requests import AdapterBelow
from adaptkit.storage import Adapter, load_adapter
from adaptkit.storage.identity import check_identity
from adaptkit.terminal.asking import as_typed

STEPS_SHARE = 1 / 3
"""Of the steps that a training from fresh weights takes by default."""
_DIGITS = 16


def start_of(
    given: AdapterBelow | str | os.PathLike[str] | None, kind: Kind, backbone: Backbone, *, below: tuple[str, ...]
) -> Adapter | None:
    """The adapter whose weights a training starts from.

    Raises:
        AdapterFileError: A folder that is not an adapter.
        ConfigError: It is of another kind, or was trained on top of something else than `below`.
        CompatibilityError: It is for another backbone.
    """
    if given is None:
        return None
    adapter = load_adapter(given) if isinstance(given, str | os.PathLike) else given
    if not isinstance(adapter, Adapter):
        raise ConfigError(f"{as_typed(start=...)} takes an adapter or its folder, found {given!r:.80}.")
    if adapter.kind != kind:
        raise ConfigError(f"{as_typed(start=...)} is for the weights of a {kind} adapter, found {adapter.id}.")
    if adapter.below != below:
        raise ConfigError(
            f"{adapter.id} was trained on top of {' > '.join(adapter.below) or 'nothing'}, and what starts from it is "
            f"on top of {' > '.join(below) or 'nothing'}; its weights would not be what they were."
        )
    check_identity(adapter, backbone)
    return adapter


def copy_weights(start: Adapter, config: AdapterConfig, layers: AdapterLayers) -> None:
    """Let fresh layers of a config have an adapter's weights; rows of new pieces, which it does not have, stay.

    Raises:
        ConfigError: It has layers of another method or size, or at other places.
    """
    # A projection that was kept belonged to that training.
    if replace(start.config, projection=None) not in (config, replace(config, pieces=None)):
        raise ConfigError(
            f"{start.id} is {_said(start.config)}, and what is to start from it {_said(config)}. Ask for the same "
            f"method with the same options: {as_typed(method=...)}."
        )
    with torch.no_grad():
        for name, parameter in layers.named_tensors().items():
            if name in start.tensors:
                parameter.copy_(start.tensors[name])


def recorded_start(start: Adapter | None) -> Mapping[str, Recorded]:
    """For card and checkpoint."""
    return {} if start is None else {"start": f"{start.id} ({start.weights_sha256[:_DIGITS]})"}


def _said(config: AdapterConfig) -> str:
    return f"{config.method_name}: {config.method}"
