"""Linear layers with what acts after them, or on what they read, folded into weight and bias."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching.plan import AveragedChains, Chain, Plan, SiteLayer, modules_in
from adaptkit.backbones.linears import QuantizedLinear
from adaptkit.errors import ConfigError
from adaptkit.format.shapes import BackboneShape, SiteAddress
from adaptkit.layers import AdapterLayer

_Weight = Callable[[], Tensor]


def folded(plan: Plan, network: nn.Module, shape: BackboneShape) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Path, weight and bias of each linear layer that a plan changes, in float32.

    What scales the output of the feed-forward's activation function scales what the layer after it reads.

    Raises:
        ConfigError: A layer in the plan whose work is no change of a linear layer.
    """
    read = {reader: module for module, reader in _readers(shape) if module in plan}
    for path in dict.fromkeys([*(path for path in plan if path not in read.values()), *read]):
        linear, chain = network.get_submodule(path), plan.get(path, ())
        if not isinstance(linear, nn.Linear | QuantizedLinear):
            raise _no_change(type(next(modules_in(chain))).__name__, path)
        now = _after(chain, path, _augmented(linear), partial(weight_of, linear))
        changed = now[:, :-1]
        if path in read:
            changed = changed * _after(plan[read[path]], read[path], now.new_ones(changed.shape[1], 1), None).t()
        yield path, changed.contiguous(), None if linear.bias is None else now[:, -1].contiguous()


def weight_of(linear: nn.Module) -> Tensor:
    """A linear layer's weight in float32, widened where it is quantised. Shape: (out_width, in_width)."""
    if isinstance(linear, QuantizedLinear):
        return linear.weight_as(torch.float32)
    weight: Tensor = linear.get_parameter("weight")
    return weight.detach().float()


def _readers(shape: BackboneShape) -> Iterator[tuple[str, str]]:
    """Activation functions, and the linear layer that reads what each gives."""
    places = shape.sites()
    for address, place in places.items():
        if address.site == "ffn.activation":
            yield place.module, places[SiteAddress(address.block, "ffn.output")].module


def _augmented(linear: nn.Linear | QuantizedLinear) -> Tensor:
    """Weight and bias side by side, a bias of 0 where there is none. Shape: (out_width, in_width + 1)."""
    weight = weight_of(linear)
    bias = weight.new_zeros(len(weight)) if linear.bias is None else linear.bias.detach().float()
    return torch.cat([weight, bias.unsqueeze(1)], dim=1)


def _after(chain: Chain, path: str, now: Tensor, weight: _Weight | None) -> Tensor:
    """What the rows of an augmented weight are after a chain; without `weight` of no linear layer, so only scaled."""
    for layer in chain:
        if isinstance(layer, AveragedChains):
            chains = zip(layer.chains, layer.weights, strict=True)
            moved = [share * (_after(inner, path, now, weight) - now) for inner, share in chains]
            now = now + torch.stack(moved).sum(dim=0)
        else:
            now = _after_one(layer, path, now, weight)
    return now


def _after_one(layer: SiteLayer, path: str, now: Tensor, weight: _Weight | None) -> Tensor:
    if isinstance(layer, AdapterLayer):
        scales = layer.output_scales()
        if scales is not None:
            return now * scales.to(now.device).unsqueeze(1)
        change = None if weight is None else layer.weight_change(weight)
        if change is not None:
            return now + F.pad(change.to(now.device), (0, 1))
    raise _no_change(type(layer).__name__, path)


def _no_change(layer: str, path: str) -> ConfigError:
    return ConfigError(
        f"{layer} after {path} is no LoRA layer, or another whose work is a change of a linear layer: it cannot be "
        "folded into one. Only adapters of such layers and averages of them can be merged."
    )
