"""BitFit: biases of the linear layers are learned, and nothing else (Ben Zaken et al. 2022, arXiv:2106.10199)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from adaptkit import METHODS
from adaptkit.config import SiteName, SiteShape
from adaptkit.errors import ConfigError
from adaptkit.layers import BatchedLayer
from adaptkit.methods import Method, MethodOptions, Surroundings, TensorShapes
from adaptkit.options import option

SITES: tuple[SiteName, ...] = ("attention.query", "attention.value", "attention.output", "ffn.input", "ffn.output")


@dataclass(frozen=True, kw_only=True)
class BitfitConfig:
    """What such an adapter is: where it adds a bias.

    Raises:
        ConfigError: A site where it does not.
    """

    sites: tuple[SiteName, ...] = SITES
    blocks: tuple[int, ...] | None = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if wrong := [site for site in self.sites if site not in SITES]:
            raise ConfigError(f"bitfit cannot act at {', '.join(wrong)}; it acts at {', '.join(SITES)}.")

    def tensors(self, place: SiteShape) -> TensorShapes:
        """A number for each component of the site's output."""
        return {"bias": (place.out_width,)}


@dataclass(frozen=True, kw_only=True)
class Bitfit(MethodOptions):
    """What is asked for in training."""

    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    def config(self, there: Surroundings) -> BitfitConfig:
        """The adapter that is meant on a backbone with these sites."""
        return BitfitConfig(sites=tuple(site for site in SITES if site in there.sites), blocks=self.blocks)


class BitfitLayer(BatchedLayer):
    """`site_output + bias`: what is learned is the change of the linear layer's own bias, which may be none."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, site_input: object, site_output: Tensor) -> Tensor:  # noqa: ARG002 - the layer contract
        """Shape: site_output and result (..., width)."""
        return site_output + self.bias.to(site_output.dtype)

    @property
    def shape(self) -> Hashable:
        """Layers of one site can always act at once."""
        return self.bias.shape

    @classmethod
    def act_at_once(cls, layers: Sequence[Self], site_output: Tensor) -> None:
        """One sum for the rows of many adapters. Shape: (len(layers), tokens, width)."""
        site_output += torch.stack([layer.bias for layer in layers]).unsqueeze(1).to(site_output.dtype)


def bitfit_layer(config: BitfitConfig, place: SiteShape) -> BitfitLayer:  # noqa: ARG001 - as of every method
    """A fresh layer at a site."""
    return BitfitLayer(place.out_width)


BITFIT = METHODS.register(
    Method(
        name="bitfit",
        config=BitfitConfig,
        options=Bitfit,
        layer=lambda: bitfit_layer,
        paper="BitFit: Ben Zaken et al. 2022, arXiv:2106.10199",
        learning_rate=1e-3,
    )
)
