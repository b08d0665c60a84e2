"""A stack of LoRAs, and of averages of them, as the one LoRA that it is."""

from collections.abc import Iterator

import torch

from adaptkit.attaching.plan import AveragedChains, Chain
from adaptkit.composition import AdapterId
from adaptkit.config import LINEAR_SITES
from adaptkit.errors import ConfigError, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.card import Card
from adaptkit.format.shapes import SiteAddress
from adaptkit.layers.adapter_layer import LowRankLayer
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel, ResolvedStack, StackLike
from adaptkit.model.making import made
from adaptkit.storage import Adapter
from adaptkit.weights.low_rank import LowRank, lora_of


def one_lora(model: AdaptedModel, stack: StackLike) -> Adapter:
    """The adapter that does alone what a stack does, exactly: its rank is the sum of the ranks at a site.

    It has one rank and one alpha everywhere, as servers ask for: what is narrower is filled up with zeros, and where
    scales differ each is folded into its B. It has no head, and its name is that of the stack's top with `-stack`.

    Raises:
        NotConvertible: An adapter in the stack that is no LoRA alone; it says which.
        ConfigError: The stack is empty, or its layers are in training.
        UnknownAdapter: The stack names an adapter that is not attached.
    """
    pinned = model.pinned(stack)
    changes, adapters = changes_of(model, pinned), loras_of(pinned)
    if not changes:
        raise ConfigError(f"no LoRA acts in the stack {str(pinned.stack) or '(empty)'}, so there is nothing to write.")
    config, tensors = lora_of(changes, model.backbone.shape.sites())
    top = adapters[-1]
    return made(
        model,
        kind=top.kind,
        name=AdapterId(top.kind, f"{top.name[:50]}-stack").name,
        language=top.language,
        config=AdapterConfig(method=config),
        tensors=tensors,
        card=Card(
            source=f"the sum of the stack {pinned.stack}",
            licence="; ".join(dict.fromkeys(adapter.card.licence for adapter in adapters)),
        ),
    )


def changes_of(model: AdaptedModel, stack: ResolvedStack) -> dict[SiteAddress, LowRank]:
    """What a stack of LoRAs changes at each site, ranks side by side. Those of lower adapters come first.

    Raises:
        NotConvertible: An adapter in the stack that is no LoRA alone; it says which.
        ConfigError: Its layers are in training.
    """
    loras_of(stack)
    places = model.backbone.shape.sites()
    at = {place.module: address for address, place in places.items() if address.site in LINEAR_SITES}
    return {at[module]: _added(list(_terms(chain, 1.0))) for module, chain in stack.plan.items()}


def loras_of(stack: ResolvedStack) -> list[Adapter]:
    """The adapters that act in a stack, all LoRAs or heads.

    Raises:
        NotConvertible: One of them is no LoRA alone; it says which.
        ConfigError: Its layers are in training.
    """
    return [_lora(name, stack.adapters[name]) for name in stack.acting]


def _lora(name: str, adapter: Adapter | None) -> Adapter:
    if adapter is None:
        raise ConfigError(f"{name} is in training; only adapters that are done are written.")
    config = adapter.config
    if config.method.sites and (not isinstance(config.method, LoraConfig) or config.invertible is not None):
        also = " with an invertible layer" if config.invertible is not None else ""
        raise NotConvertible(
            f"{name} in the stack is no LoRA alone ({config.method_name}{also}), and a sum of LoRAs cannot do what it "
            "does. Serve the stack by adaptkit, or as ONNX: adaptkit.export_onnx(model, stack, folder)."
        )
    return adapter


def _terms(chain: Chain, share: float) -> Iterator[tuple[float, LowRankLayer]]:
    for layer in chain:
        if isinstance(layer, AveragedChains):
            for inner, weight in zip(layer.chains, layer.weights, strict=True):
                yield from _terms(inner, share * weight)
        else:
            assert isinstance(layer, LowRankLayer)  # noqa: S101 - nothing else was let through
            yield share, layer


def _added(terms: list[tuple[float, LowRankLayer]]) -> LowRank:
    """Their weighted sum. One scale of all stays a scale, so that a LoRA alone is written as it is."""
    scales = {share * layer.scale for share, layer in terms}
    scale = scales.pop() if len(scales) == 1 else 1.0
    a = [layer.down.detach().float().cpu() for _, layer in terms]
    b = [(share * layer.scale / scale) * layer.up.detach().float().cpu() for share, layer in terms]
    return LowRank(torch.cat(a), torch.cat(b, dim=1), scale)
