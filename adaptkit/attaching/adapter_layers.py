"""All layers of one adapter, by the site they act at."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from adaptkit.config import (
    SITES,
    AdapterConfig,
    BottleneckConfig,
    BottleneckMadxConfig,
    FusionConfig,
    InvertibleConfig,
    LoraConfig,
)
from adaptkit.errors import ArchitectureMismatch
from adaptkit.format.shapes import SiteAddress, SiteShape
from adaptkit.layers.bottleneck import BottleneckLayer
from adaptkit.layers.bottleneck_madx import BottleneckMadxLayer
from adaptkit.layers.fusion import FusionLayer
from adaptkit.layers.heads import Head, build_head
from adaptkit.layers.invertible import InvertibleLayer
from adaptkit.layers.lora import LoraLayer

AdapterLayer = LoraLayer | BottleneckLayer | BottleneckMadxLayer | InvertibleLayer | FusionLayer
_HEAD = "head"


class AdapterLayers(nn.Module):
    """The layers that a config asks for on a backbone of these shapes, freshly initialised, and the head on top.

    At `hidden_modules`, nothing acts that lies below this adapter in a stack.

    Raises:
        ArchitectureMismatch: The config names a block or a site that the backbone does not have.
    """

    def __init__(self, config: AdapterConfig, shapes: Mapping[SiteAddress, SiteShape]) -> None:
        super().__init__()
        blocks = config.method.blocks
        deepest = max(address.block for address in shapes)
        if blocks is not None and blocks[-1] > deepest:
            raise ArchitectureMismatch(
                f"the adapter acts in block {blocks[-1]}, but this backbone's blocks end at {deepest}. "
                "Load the backbone it was trained on, or name other blocks."
            )
        there = {address.site for address in shapes}
        if missing := [site for site in config.method.sites if site not in there]:
            raise ArchitectureMismatch(
                f"the adapter acts at {', '.join(missing)}, where this backbone has no site. It has "
                f"{', '.join(site for site in SITES if site in there)}."
            )
        if isinstance(config.method, BottleneckMadxConfig) and not all(
            shape.after_sum for address, shape in shapes.items() if address.site in config.method.sites
        ):
            raise ArchitectureMismatch(
                "bottleneck_madx acts before a layer norm that follows a residual sum, and this backbone's blocks have "
                "none: they normalise what a sublayer reads. Load the encoder that the adapter was trained on."
            )
        self.config = config
        self.hidden_modules = frozenset(
            shape.module for address, shape in shapes.items() if config.hides_top_block and address.block == deepest
        )
        self._by_module: dict[str, AdapterLayer] = {}
        for address in sorted(shapes):
            shape = shapes[address]
            layer = _build(config, address, shape)
            if layer is not None:
                self._by_module[shape.module] = layer
                self.add_module(shape.module.replace(".", "/"), layer)
        self.head: Head | None = None
        if config.head is not None:
            self.head = build_head(config.head, shapes[SiteAddress(deepest, "block.output")].out_width)

    def items(self) -> Iterator[tuple[str, AdapterLayer]]:
        """Pairs of module path and the layer that follows that module."""
        yield from self._by_module.items()

    @property
    def invertible(self) -> InvertibleLayer | None:
        """The layer at the embeddings, if there is one."""
        return next((layer for layer in self._by_module.values() if isinstance(layer, InvertibleLayer)), None)

    @classmethod
    def holding(
        cls,
        config: AdapterConfig,
        shapes: Mapping[SiteAddress, SiteShape],
        tensors: Mapping[str, Tensor],
        device: torch.device,
    ) -> "AdapterLayers":
        """Frozen layers that hold these tensors, named as in `named_tensors`; none is made first and filled then.

        Raises:
            ArchitectureMismatch: The config names a block or a site that the backbone does not have.
        """
        with torch.device("meta"):
            layers = cls(config, shapes)
        for place, layer in layers._named_layers().items():
            for name, empty in list(layer.named_parameters()):
                owner = layer.get_submodule(name.rpartition(".")[0])
                value = tensors[f"{place}.{name}"].to(device, empty.dtype).clone(memory_format=torch.contiguous_format)
                # Held as it was laid out, with the strides of a fresh one.
                laid_out = value if empty.is_contiguous() else value.t().contiguous().t()
                owner._parameters[name.rpartition(".")[2]] = nn.Parameter(laid_out, requires_grad=False)
        return layers.eval()

    def _named_layers(self) -> dict[str, nn.Module]:
        return {**self._by_module, **({_HEAD: self.head} if self.head is not None else {})}

    def named_tensors(self) -> dict[str, nn.Parameter]:
        """Every weight under `<module path>.<weight name>` or `head.<weight name>`, the naming of the file format."""
        return {
            f"{place}.{name}": parameter
            for place, layer in self._named_layers().items()
            for name, parameter in layer.named_parameters()
        }


def _build(config: AdapterConfig, address: SiteAddress, shape: SiteShape) -> AdapterLayer | None:
    if address.site == "embeddings":
        return _build_invertible(config.invertible, shape.out_width) if config.invertible else None
    method = config.method
    if address.site not in method.sites or (method.blocks is not None and address.block not in method.blocks):
        return None
    if isinstance(method, LoraConfig):
        return _build_lora(method, shape)
    if isinstance(method, FusionConfig):
        return FusionLayer(width=method.width, site_width=shape.out_width)
    if isinstance(method, BottleneckMadxConfig):
        return BottleneckMadxLayer(
            hidden_width=shape.out_width, bottleneck_width=method.width, activation=method.activation
        )
    # A head alone has no sites, so it never comes here.
    return _build_bottleneck(method, shape.out_width) if isinstance(method, BottleneckConfig) else None


def _build_lora(method: LoraConfig, shape: SiteShape) -> LoraLayer:
    return LoraLayer(
        in_width=shape.in_width,
        out_width=shape.out_width,
        rank=method.rank,
        scale=method.scale,
        dropout=method.dropout,
    )


def _build_bottleneck(method: BottleneckConfig, hidden_width: int) -> BottleneckLayer:
    return BottleneckLayer(
        hidden_width=hidden_width, bottleneck_width=method.width(hidden_width), activation=method.activation
    )


def _build_invertible(config: InvertibleConfig, hidden_width: int) -> InvertibleLayer:
    return InvertibleLayer(
        hidden_width=hidden_width, coupling_width=config.width(hidden_width), activation=config.activation
    )
