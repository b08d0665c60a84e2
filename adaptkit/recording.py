"""An adapter from tensors that were made elsewhere."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.config import AdapterConfig, Kind
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter, Card
from adaptkit.storage.adapter import Origin
from adaptkit.storage.probes import record
from adaptkit.version import __version__


def made(
    model: AdaptedModel,
    *,
    kind: Kind,
    name: str,
    language: str | None,
    config: AdapterConfig,
    tensors: Mapping[str, Tensor],
    card: Card,
) -> Adapter:
    """An adapter with its probes recorded on a model, which is left as it was."""
    place = str(AdapterId(kind, "being-made"))
    layers = model.attach_layers(place, config).eval()
    try:
        with torch.no_grad():
            for weight, parameter in layers.named_tensors().items():
                parameter.copy_(tensors[weight])
        inputs = model.backbone.probe_inputs()
        probes = record(inputs, model.encode_ids(inputs, stack=place))
    finally:
        model.detach(place)
    return Adapter(
        kind=kind,
        name=name,
        language=language,
        config=config,
        origin=Origin.of(model.backbone),
        tensors=dict(tensors),
        probes=probes,
        card=replace(card, adaptkit_version=__version__),
    )
