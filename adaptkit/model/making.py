"""An adapter from tensors that were made elsewhere."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

import torch
from torch import Tensor

from adaptkit.composition import AdapterId
from adaptkit.config import Kind
from adaptkit.errors import NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card
from adaptkit.model.adapted import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.storage.identity import origin_of
from adaptkit.storage.probes import probes_of
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
    """An adapter with its probes recorded on a model, which is left as it was.

    Raises:
        NotConvertible: With these tensors, the model's outputs are no finite numbers.
    """
    place = str(AdapterId(kind, f"being-made-{uuid4().hex}"))
    layers = model.attach_layers(place, config).eval()
    try:
        with torch.no_grad():
            for weight, parameter in layers.named_tensors().items():
                parameter.copy_(tensors[weight])
        inputs = model.backbone.probe_inputs()
        vectors = model.encode_ids(inputs, stack=place, whole=True)
    finally:
        model.detach(place)
    if not (vectors.isfinite().all() and all(tensor.isfinite().all() for tensor in tensors.values())):
        raise NotConvertible(
            f"with the tensors of {kind}/{name}, {model.backbone.name} gives NaN or Inf: they are too large. Is this "
            "the backbone that they were trained on, and are the weights or scales right?"
        )
    return Adapter(
        kind=kind,
        name=name,
        language=language,
        config=config,
        origin=origin_of(model.backbone),
        tensors=dict(tensors),
        probes=probes_of(inputs, vectors),
        card=replace(card, adaptkit_version=__version__),
    )
