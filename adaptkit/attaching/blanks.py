"""Layers without weights, made once for a part of an adapter at a place: every adapter with that part has copies.

Making a module takes ten times as long as copying one, and sixty-four adapters are some ten thousand modules.
"""

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType
from typing import TypeAlias, TypeVar

import torch
from torch import nn

from adaptkit.config import SiteShape
from adaptkit.layers.adapter_layer import AdapterLayer, MixingLayer
from adaptkit.methods import MethodConfig

M = TypeVar("M", bound=nn.Module)
AnyLayer: TypeAlias = AdapterLayer | MixingLayer
Build: TypeAlias = Callable[[MethodConfig, SiteShape], AnyLayer]
"""Makes the layer of a part of an adapter at a place."""

_MOST = 512
"""Some ten kilobytes each; a LoRA at all sites of twelve blocks has 72."""
_MODULE_STATE = vars(nn.Module())
_CONTAINERS = [name for name, held in _MODULE_STATE.items() if isinstance(held, dict | set)]
_UNCHANGING = (type(None), bool, int, float, str, bytes, torch.dtype, type, FunctionType, BuiltinFunctionType)


class Blanks:
    """Layers in evaluation mode whose weights are on no device yet."""

    def __init__(self) -> None:
        self._kept: dict[tuple[MethodConfig, SiteShape], AnyLayer] = {}

    def layer(self, build: Build, part: MethodConfig, place: SiteShape) -> AnyLayer:
        """One as `build` makes it."""
        kept = self._kept.get((part, place))
        if kept is not None:
            return _copied(kept)
        with torch.device("meta"):
            made = build(part, place).eval()
        if all(_is_copied_whole(module) for module in made.modules()):
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[part, place] = _copied(made)
        return made


def _copied(module: M) -> M:
    """The same modules anew, on the same weights."""
    anew = object.__new__(type(module))
    state = anew.__dict__
    state.update(module.__dict__)
    for name in _CONTAINERS:
        held = state[name]
        # Nearly all are empty, and a new one is made far sooner than a copy.
        state[name] = held.copy() if held else type(held)()
    for name, part in module._modules.items():
        if part is not None:
            state["_modules"][name] = _copied(part)
    return anew


def _is_copied_whole(module: nn.Module) -> bool:
    """Whether a copy has nothing in common with a module but its weights, and what cannot be changed."""
    own = (held for name, held in vars(module).items() if name not in _MODULE_STATE)
    return not module._buffers and all(_is_unchanging(held) for held in own)


def _is_unchanging(held: object) -> bool:
    return all(map(_is_unchanging, held)) if isinstance(held, tuple) else isinstance(held, _UNCHANGING)
