"""What an adapter layer is to those who let it act. A method's layers are of one of these classes.

AdapterLayer        a map `(site_input, site_output) -> site_output`
├── LowRankLayer    ... that adds a low-rank term of its input: terms of many rows and adapters become one product
├── BatchedLayer    ... of the site's output alone, which acts on the rows of many adapters at once
├── ReadsText       ... that looks at the text of the rows, which `text_read` tells it
│   └── CountsText   ... and counts in it: its weights can be found in closed form
├── HandedModule    ... that asks the linear layer it follows for products with its weight
└── HandsOn         ... that changes the site's input for what acts above it
MixingLayer         mixes what other adapters contribute
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from adaptkit.layers.text_read import TextRead


class AdapterLayer(nn.Module, ABC):
    """What an adapter does after one module of the backbone, whose weights it does not see."""

    @abstractmethod
    def forward(self, site_input: Any, site_output: Tensor) -> Tensor:  # noqa: ANN401 - ids, hidden states or Normed
        """Shape: site_input (..., in_width), site_output and result (..., out_width)."""

    def weight_change(self, weight: Callable[[], Tensor]) -> Tensor | None:  # noqa: ARG002 - for those that are one
        """What the layer amounts to as a change of the linear layer's weight; None where it is no such thing.

        Shape: what `weight` gives and the result (out_width, in_width), float32.
        """
        return None

    def output_scales(self) -> Tensor | None:
        """What the layer multiplies each component of the site's output by; None where it does anything else.

        Shape: (out_width,), float32.
        """
        return None


class LowRankLayer(AdapterLayer):
    """Adds `scale * up(down(dropout(site_input)))`, and does nothing else, unless it `scales_product`."""

    scale: float
    dropout: float
    scales_product: ClassVar[bool] = False
    """Whether it adds to the linear layer's own product too: `product_scales` times that."""

    @property
    def product_scales(self) -> Tensor:
        """Shape: (out_width,)."""
        raise NotImplementedError

    def own_product(self, site_output: Tensor) -> Tensor:
        """The linear layer's own product, found in what it has given. Shape: (..., out_width)."""
        raise NotImplementedError

    @property
    @abstractmethod
    def down(self) -> Tensor:
        """Shape: (rank, in_width)."""

    @property
    @abstractmethod
    def up(self) -> Tensor:
        """Shape: (out_width, rank)."""

    @property
    def rank(self) -> int:
        """How many rows `down` has."""
        return self.down.shape[0]

    def delta(self) -> Tensor:
        """What the layer amounts to as a change of the weight below it. Shape: (out_width, in_width), float32."""
        with torch.no_grad():
            return self.scale * (self.up.float() @ self.down.float())

    def weight_change(self, weight: Callable[[], Tensor]) -> Tensor:  # noqa: ARG002 - whatever the weight is
        """As `delta`."""
        return self.delta()


class BatchedLayer(AdapterLayer):
    """Reads the site's output and nothing else, and can act on rows of many adapters at once."""

    @property
    @abstractmethod
    def shape(self) -> Hashable:
        """Equal for layers of the class that can act at once."""

    @classmethod
    @abstractmethod
    def act_at_once(cls, layers: Sequence[Self], site_output: Tensor) -> None:
        """Let each layer act on its group of rows, in place. Shape: (len(layers), tokens, width)."""


class ReadsText(AdapterLayer):
    """Looks at the text of the rows, which `text_read` tells it, and acts at what the network gives."""


class CountsText(ReadsText):
    """Adds up rows of what it counts in a text, and adds the sum, made wider, and a constant to all of its states."""

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """How many rows there are."""

    @property
    @abstractmethod
    def rank(self) -> int:
        """How wide they are."""

    @abstractmethod
    def counted(self, text: TextRead) -> tuple[Tensor, Tensor]:
        """Rows and their weights, of which zeros are none. Shape: both (rows of the batch, as many as there may be)."""

    @abstractmethod
    def start_from(self, rows: Tensor, turned: Tensor, shift: Tensor) -> None:
        """Take these weights. Shape: rows (n_rows, rank), turned (width, rank), shift (width)."""


class HandsOn:
    """Changes the site's input for what acts above it, as what acts before a layer norm does."""

    # No abstract class: every layer is asked in every forward pass whether it is of this one.
    def handed_on(self, site_input: Any, site_output: Tensor) -> tuple[Any, Tensor]:  # noqa: ANN401 - as AdapterLayer
        """The site's output as the layer gives it, with the site's input for the layer above."""
        raise NotImplementedError


class HandedModule:
    """Asks the linear layer that it follows for products with its frozen weight."""

    # Functions and no module: the backbone's is no part of the layer, and is not copied with it.
    product: Callable[[Tensor], Tensor]
    own_product: Callable[[Tensor], Tensor]

    def use(self, module: nn.Module) -> None:
        """Act after this module of the backbone."""
        self.product, self.own_product = product_of(module), partial(_without_bias, module)


def product_of(module: nn.Module) -> Callable[[Tensor], Tensor]:
    """What multiplies by the weight of a linear layer, quantised or not: (..., in_width) to (..., out_width)."""

    def product(x: Tensor) -> Tensor:
        # A plain linear layer reads its own type only. Its forward, as calling it would let hooks act.
        result: Tensor = module.forward(x.to(module.weight.dtype) if isinstance(module, nn.Linear) else x)
        return _without_bias(module, result).to(x.dtype)

    return product


def _without_bias(module: nn.Module, output: Tensor) -> Tensor:
    bias = module._parameters.get("bias")
    return output if bias is None else output - bias.to(output.dtype)


class MixingLayer(nn.Module, ABC):
    """Mixes the contributions of other adapters at one site."""

    @abstractmethod
    def forward(self, site_output: Tensor, contributions: Tensor) -> Tensor:
        """Shape: site_output and result (..., site_width), contributions (n_adapters, ..., site_width)."""
