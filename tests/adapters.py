"""Adapters with random weights, made without training."""

import torch

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.config import Kind
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.model import AdaptedModel
from adaptkit.storage import Adapter
from adaptkit.storage.identity import origin_of
from adaptkit.storage.probes import probes_of
from tests.methods import at_sites_of


def randomise(layers: AdapterLayers, *, seed: int = 1) -> AdapterLayers:
    """Give every tensor random values, so that no part of the adapter is zero any more."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    return layers


def attach_random(model: AdaptedModel, adapter_id: str, config: AdapterConfig, *, seed: int = 1) -> AdapterLayers:
    """Layers with random weights, at the sites that the backbone has for what the method acts on."""
    return randomise(model.attach_layers(adapter_id, at_sites_of(model, config)), seed=seed)


def random_adapter(
    model: AdaptedModel, config: AdapterConfig, *, kind: Kind = "language", name: str = "sw", seed: int = 1
) -> Adapter:
    """An adapter with random weights and the probes that belong to them; the model keeps nothing of it."""
    config = at_sites_of(model, config)
    layers = attach_random(model, "task/being-made", config, seed=seed).eval()
    inputs = model.backbone.probe_inputs(0 if config.pieces is None else len(config.pieces))
    probes = probes_of(inputs, model.encode_ids(inputs, stack="task/being-made", whole=True))
    model.detach("task/being-made")
    return Adapter(
        kind=kind,
        name=name,
        language=name if kind == "language" else None,
        config=config,
        origin=origin_of(model.backbone),
        tensors={name: tensor.detach().cpu().clone() for name, tensor in layers.named_tensors().items()},
        probes=probes,
    )
