"""A backbone with a stack's layers in place, as ordinary code.

A hook looks up what is active. Here nothing is looked up: each module at a site is followed by its layers, so that
torch.compile traces the whole, and what runs is the network's code and the layers' and no more. The modules are new,
their weights are the model's own: nothing is copied, and the backbone stays as it is.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from adaptkit.attaching.plan import Chain, Plan, modules_in, run, site_input_of
from adaptkit.backbones import Backbone
from adaptkit.backbones.looked_up import LookedUp
from adaptkit.backbones.precision import enter_in_bfloat16, is_in_bfloat16_blocks
from adaptkit.backbones.word_embeddings import WordEmbeddings
from adaptkit.errors import ConfigError
from adaptkit.layers import PieceRows, ReadsText, TextRead, reading

M = TypeVar("M", bound=nn.Module)


class BoundNetwork(nn.Module):
    """The backbone under one plan. What is attached, swapped or detached later changes nothing in it.

    Not compiled, it gives what the hooks give, bit for bit. Gradients reach the layers' own weights. Device, type and
    mode are the model's: `model.train()` lets the layers drop, and a model that is moved is bound again. Where the
    model's blocks compute in bfloat16 for a while, what is bound then is for that while.
    """

    def __init__(self, backbone: Backbone, plan: Plan) -> None:
        super().__init__()
        self.network = with_same_weights(backbone.network)
        self.adapters = nn.ModuleList(module for chain in plan.values() for module in modules_in(chain))
        row = backbone.architecture
        self._spelling = backbone.spelling
        self._reads_text = any(isinstance(layer, ReadsText) for layer in self.adapters)
        self._options = {"use_cache": False} if row.causal else {}
        self._reads_by_encoder = row.decoder is not None
        for path, module in list(self.network.named_modules(remove_duplicate=False)):
            if isinstance(module, WordEmbeddings):
                self.network.set_submodule(path, LookedUp(module))
        for path, chain in plan.items():
            follow(self.network.get_submodule(path), chain, backbone.known)
        if is_in_bfloat16_blocks(backbone.network):
            enter_in_bfloat16(self.network)

    def train(self, mode: bool = True) -> "BoundNetwork":
        """Changes nothing below: the layers are the model's own, which others may be serving with."""
        self.training = mode
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "BoundNetwork":  # noqa: ARG002
        """What `to`, `half` and their like are made of.

        Raises:
            ConfigError: It would move or convert the model's own weights.
        """
        if would_change(self, fn):
            raise ConfigError(
                "a bound network has the model's own weights, so it is not moved or converted by itself. Move the "
                "model, then bind the stack again: model.bound(stack)."
            )
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Hidden states of the last block. Shape: both (batch, seq), result (batch, seq, hidden_width)."""
        network = self.network.get_encoder() if self._reads_by_encoder else self.network
        # Only where a layer asks: what is compiled is cut in two there.
        told = reading(TextRead(input_ids, attention_mask, self._spelling)) if self._reads_text else nullcontext()
        with told:
            return cast(Tensor, network(input_ids, attention_mask, **self._options).last_hidden_state)


def would_change(module: nn.Module, fn: Callable[[Tensor], Tensor]) -> bool:
    """Whether `fn`, which `nn.Module._apply` is given, would give a weight of the module another device or type."""
    with torch.no_grad():
        pairs = ((fn(weight), weight) for weight in module.parameters())
        return any(found.dtype != weight.dtype or found.device != weight.device for found, weight in pairs)


def with_same_weights(module: M) -> M:
    """The same modules anew, without hooks, on the same weights: what is changed in them changes nothing there."""
    return cast(M, _with_same_weights(module, {}))


def _with_same_weights(module: nn.Module, done: dict[nn.Module, nn.Module]) -> nn.Module:
    if module in done or isinstance(module, WordEmbeddings):
        # A table has a file, a lock and a count of its own, and nothing follows inside of it.
        return done.get(module, module)
    anew: nn.Module = object.__new__(type(module))
    done[module] = anew
    anew.__dict__ = {**vars(module), "_forward_hooks": OrderedDict()}
    # A block that runs again in backward has a forward of the model's own in front of its class's.
    anew.__dict__.pop("forward", None)
    parts = module._modules.items()
    anew._modules = {name: None if part is None else _with_same_weights(part, done) for name, part in parts}
    if "_gradient_checkpointing_func" in vars(module):
        # The model's own looks a plan up again, of which there is none here.
        vars(anew)["_gradient_checkpointing_func"] = partial(checkpoint, use_reentrant=False)
    return anew


def follow(module: nn.Module, chain: Chain, known: Callable[[Tensor], Tensor]) -> None:
    """Let a chain act after a module from now on. `known` makes ids of a text ones that the table has rows for."""
    reads_ids = any(isinstance(layer, PieceRows) for layer in chain)
    module.__class__ = _followed_class(type(module), _FollowedWords if reads_ids else _Followed)
    vars(module).update(layers_after=chain, known=known)


def table_ids(module: nn.Module, ids: Tensor) -> Tensor:
    """What a table of word embeddings, or the layers behind it, ask it for when a text has these ids."""
    return module.known(ids) if isinstance(module, _FollowedWords) else ids


class _Followed(nn.Module):
    """What a module's class becomes where layers follow it; the module's own class stands behind it."""

    layers_after: Chain

    def forward(self, *inputs: Any, **options: Any) -> Tensor:  # noqa: ANN401 - as the module's own
        own = super().forward
        output: Tensor = own(*inputs, **options)
        return run(self.layers_after, site_input_of(self, inputs, output, own), output)


class _FollowedWords(nn.Module):
    """The same at a table of word embeddings, where layers read the ids as the text has them."""

    layers_after: Chain
    known: Callable[[Tensor], Tensor]

    def forward(self, ids: Tensor) -> Tensor:
        output: Tensor = super().forward(self.known(ids))
        return run(self.layers_after, ids, output)


def _followed_class(own: type[nn.Module], followed: type[nn.Module]) -> type[nn.Module]:
    key = (own, followed)
    if key not in _classes:
        _classes[key] = type(f"Followed{own.__name__}", (followed, own), {})
    return _classes[key]


# One class for each, so that a compiled graph of one bound network serves the next.
_classes: dict[tuple[type[nn.Module], type[nn.Module]], type[nn.Module]] = {}
