"""All layers of one adapter, by the site they act at."""

from collections.abc import Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from adaptkit.attaching.blanks import AnyLayer, Blanks, Build
from adaptkit.config import SiteShape
from adaptkit.errors import ArchitectureMismatch, ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import SiteAddress
from adaptkit.format.tensor_shapes import HEAD, PROJECTION, parts_at
from adaptkit.heads import build_head
from adaptkit.layers.adapter_layer import HandedModule
from adaptkit.layers.heads import Head
from adaptkit.layers.invertible import InvertibleLayer
from adaptkit.layers.piece_rows import PieceRows
from adaptkit.layers.token_projection import TokenProjection
from adaptkit.methods import INVERTIBLE, PIECES, InvertibleConfig, Method, MethodConfig, PiecesConfig, method_of


class AdapterLayers(nn.Module):
    """The layers that a config asks for on a backbone of these shapes, freshly initialised, and the head on top.

    At `hidden_modules`, nothing acts that lies below this adapter in a stack.

    Raises:
        ArchitectureMismatch: The config names a block or a site that the backbone does not have.
    """

    def __init__(
        self, config: AdapterConfig, shapes: Mapping[SiteAddress, SiteShape], build: Build | None = None
    ) -> None:
        super().__init__()
        build = build or build_layer
        deepest = max(address.block for address in shapes)
        self.config = config
        self.hidden_modules = frozenset(
            shape.module for shape in shapes.values() if config.hides_top_block and shape.in_last_block
        )
        self._by_module: dict[str, AnyLayer] = {}
        for place, part in parts_at(config, shapes):
            layer = build(part, place)
            self._by_module[place.module] = layer
            self.add_module(place.module.replace(".", "/"), layer)
        self.projection = _kept_projection(config, shapes)
        self.head: Head | None = None
        if config.head is not None:
            self.head = build_head(config.head, shapes[SiteAddress(deepest, "block.output")].out_width)

    def items(self) -> Iterator[tuple[str, AnyLayer]]:
        """Pairs of module path and the layer that follows that module."""
        yield from self._by_module.items()

    def use(self, network: nn.Module) -> None:
        """Hand each layer that asks for it the module of this network that it follows."""
        for module, layer in self._by_module.items():
            if isinstance(layer, HandedModule):
                layer.use(network.get_submodule(module))

    @property
    def invertible(self) -> InvertibleLayer | None:
        """The layer at the embeddings, if there is one."""
        return next((layer for layer in self._by_module.values() if isinstance(layer, InvertibleLayer)), None)

    @property
    def piece_rows(self) -> PieceRows | None:
        """The rows of its own pieces of text, if it has any."""
        return next((layer for layer in self._by_module.values() if isinstance(layer, PieceRows)), None)

    @classmethod
    def holding(
        cls,
        config: AdapterConfig,
        shapes: Mapping[SiteAddress, SiteShape],
        tensors: Mapping[str, Tensor],
        device: torch.device,
        blanks: Blanks | None = None,
    ) -> "AdapterLayers":
        """Frozen layers that hold these tensors, named as in `named_tensors`; none is made first and filled then.

        Tensors are copied: whatever is done to the layers, the adapter stays what its hash says. `blanks` are those of
        adapters before, where some were made.

        Raises:
            ArchitectureMismatch: The config names a block or a site that the backbone does not have.
        """
        with torch.device("meta"):
            layers = cls(config, shapes, partial((blanks or Blanks()).layer, build_layer))
        for place, layer in layers._named_layers().items():
            for name, owner, empty in list(_weights_of(layer)):
                value = tensors[f"{place}.{name}"].to(device, empty.dtype)
                weight = nn.Parameter(_laid_out_as(empty, value), requires_grad=False)
                owner._parameters[name.rpartition(".")[2]] = weight
        # Layers behind modules come so, and going through thousands of them would take as long as filling them.
        layers.training = False
        for part in layers._on_top().values():
            part.eval()
        return layers

    def _named_layers(self) -> dict[str, nn.Module]:
        return {**self._by_module, **self._on_top()}

    def _on_top(self) -> dict[str, nn.Module]:
        found = {HEAD: self.head, PROJECTION: self.projection}
        return {name: part for name, part in found.items() if part is not None}

    def named_tensors(self) -> dict[str, nn.Parameter]:
        """Every weight by the naming of the file format.

        That is `<module path>.<weight name>`, `head.<weight name>` or `projection.<weight name>`.
        """
        return {
            f"{place}.{name}": parameter
            for place, layer in self._named_layers().items()
            for name, parameter in layer.named_parameters()
        }


def _kept_projection(config: AdapterConfig, shapes: Mapping[SiteAddress, SiteShape]) -> TokenProjection | None:
    if config.projection is None:
        return None
    # The table's width in is the number of its rows.
    table = shapes.get(SiteAddress(-1, "embeddings.words"))
    if table is None:
        raise ArchitectureMismatch(
            "the adapter has kept a projection to tokens, by which an encoder fills masks, and this backbone is no "
            "encoder of one list of blocks. Load the encoder that it was trained on."
        )
    n_tokens = config.projection.n_tokens(table.in_width + config.n_pieces)
    return TokenProjection(hidden_width=shapes[SiteAddress(-1, "embeddings")].out_width, n_tokens=n_tokens)


def build_layer(part: MethodConfig, place: SiteShape) -> AnyLayer:
    """A fresh layer of a part of an adapter."""
    row = _row_of(part)
    layer = None if row.layer is None else row.layer()(part, place)
    if not isinstance(layer, AnyLayer):
        raise ConfigError(
            f"the layer of method {row.name!r} is a {type(layer).__name__}; it is to be an "
            "adaptkit.layers.AdapterLayer, or a MixingLayer where the method fuses."
        )
    return layer


def _weights_of(module: nn.Module, below: str = "") -> Iterator[tuple[str, nn.Module, nn.Parameter]]:
    """The weights of a module by name, and the module within it that has each."""
    for name, weight in module._parameters.items():
        if weight is not None:
            yield below + name, module, weight
    for name, part in module._modules.items():
        if part is not None:
            yield from _weights_of(part, f"{below}{name}.")


def _laid_out_as(empty: Tensor, value: Tensor) -> Tensor:
    """A copy with the strides of a fresh weight."""
    if empty.is_contiguous():
        return value.clone(memory_format=torch.contiguous_format)
    return value.t().clone(memory_format=torch.contiguous_format).t()


def _row_of(part: MethodConfig) -> Method:
    if isinstance(part, InvertibleConfig):
        return INVERTIBLE
    return PIECES if isinstance(part, PiecesConfig) else method_of(part)
