"""Adapters as they are shipped: with weights of two bytes."""

from adaptkit import AdaptedModel, Adapter
from adaptkit.model.making import made


def in_half(model: AdaptedModel, adapter: Adapter) -> Adapter:
    """The adapter with weights of two bytes, and the outputs that these give."""
    return made(
        model,
        kind=adapter.kind,
        name=adapter.name,
        language=adapter.language,
        config=adapter.config,
        tensors={name: tensor.half() for name, tensor in adapter.tensors.items()},
        card=adapter.card,
    )
