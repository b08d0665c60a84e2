"""IA3: learned scales of keys, values and the feed-forward's inner activation (Liu et al. 2022, arXiv:2205.05638)."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from adaptkit import METHODS
from adaptkit.config import SiteName, SiteShape
from adaptkit.errors import ConfigError
from adaptkit.layers import BatchedLayer
from adaptkit.methods import Method, Surroundings, TensorShapes
from adaptkit.options import option

SITES: tuple[SiteName, ...] = ("attention.key", "attention.value", "ffn.activation")


@dataclass(frozen=True, kw_only=True)
class Ia3Config:
    """What such an adapter is: where it scales.

    Raises:
        ConfigError: A site where it does not scale.
    """

    sites: tuple[SiteName, ...] = SITES
    blocks: tuple[int, ...] | None = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if wrong := [site for site in self.sites if site not in SITES]:
            raise ConfigError(f"ia3 cannot act at {', '.join(wrong)}; it acts at {', '.join(SITES)}.")

    def tensors(self, place: SiteShape) -> TensorShapes:
        """A number for each component of the site's output."""
        return {"scales": (place.out_width,)}


@dataclass(frozen=True, kw_only=True)
class Ia3:
    """What is asked for in training."""

    blocks: tuple[int, ...] | None = option(None, "transformer blocks to act in, from 0 (default: all)")

    def config(self, there: Surroundings) -> Ia3Config:
        """The adapter that is meant on a backbone with these sites."""
        return Ia3Config(sites=tuple(site for site in SITES if site in there.sites), blocks=self.blocks)


class Ia3Layer(BatchedLayer):
    """`site_output * scales`. The scales start at one, so that a fresh layer changes nothing."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scales = nn.Parameter(torch.ones(width))

    def forward(self, site_input: object, site_output: Tensor) -> Tensor:  # noqa: ARG002 - the layer contract
        """Shape: site_output and result (..., width)."""
        return site_output * self.scales.to(site_output.dtype)

    @property
    def shape(self) -> Hashable:
        """Layers of one site can always act at once."""
        return self.scales.shape

    @classmethod
    def act_at_once(cls, layers: Sequence[Self], site_output: Tensor) -> None:
        """One product for the rows of many adapters. Shape: (len(layers), tokens, width)."""
        scales = torch.stack([layer.scales for layer in layers]).unsqueeze(1).to(site_output.dtype)
        # Kept for backward, while its place in the result changes.
        before = site_output.clone() if torch.is_grad_enabled() else site_output
        site_output.copy_(before * scales)


def ia3_layer(config: Ia3Config, place: SiteShape) -> Ia3Layer:  # noqa: ARG001 - as of every method
    """A fresh layer at a site."""
    return Ia3Layer(place.out_width)


IA3 = METHODS.register(
    Method(
        name="ia3",
        config=Ia3Config,
        options=Ia3,
        layer=lambda: ia3_layer,
        paper="IA3: Liu et al. 2022, arXiv:2205.05638",
        learning_rate=5e-3,
    )
)
