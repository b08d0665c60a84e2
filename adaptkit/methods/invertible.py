"""The invertible layer at the embeddings, which a language adapter of any method may have below its own layers."""

from dataclasses import dataclass
from typing import ClassVar

from adaptkit.config import Activation, SiteName, SiteShape
from adaptkit.later import later
from adaptkit.methods.checks import require_activation, require_width
from adaptkit.methods.method import Method, TensorShapes


@dataclass(frozen=True, kw_only=True)
class InvertibleConfig:
    """Invertible layer at the embeddings (NICE, Dinh et al. 2014; in MAD-X, Pfeiffer et al. 2020, arXiv:2005.00052).

    Raises:
        ConfigError: A factor or activation that cannot be right.
    """

    reduction_factor: int = 2
    activation: Activation = "relu"
    sites: ClassVar[tuple[SiteName, ...]] = ("embeddings",)
    blocks: ClassVar[None] = None
    fuses: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        require_width(self.reduction_factor, "reduction_factor")
        require_activation(self.activation)

    def width(self, hidden_width: int) -> int:
        """The inner width of each coupling network."""
        return max(1, hidden_width // 2 // self.reduction_factor)

    def tensors(self, place: SiteShape) -> TensorShapes:
        """The two coupling networks, each of two linear layers."""
        first = place.out_width // 2
        rest, inner = place.out_width - first, self.width(place.out_width)
        return {**_coupling("f", rest, inner, first), **_coupling("g", first, inner, rest)}


def _coupling(name: str, in_width: int, inner_width: int, out_width: int) -> TensorShapes:
    return {
        f"{name}.0.weight": (inner_width, in_width),
        f"{name}.0.bias": (inner_width,),
        f"{name}.2.weight": (out_width, inner_width),
        f"{name}.2.bias": (out_width,),
    }


INVERTIBLE = Method(
    name="invertible",
    config=InvertibleConfig,
    layer=later("adaptkit.layers.invertible", "invertible_layer"),
    paper="invertible adapters: Pfeiffer et al. 2020 (MAD-X), arXiv:2005.00052",
)
"""A part of an adapter and no method that one is of, so it is not in METHODS."""
