"""DoRA at one site: a LoRA of a weight whose rows keep their length, or have another one.

site_input x ──A──B── × scale ──(+)── × c ──┐
     └── W ──────────────────────┘          │  c = gain * |W| / |W + scale * B A|, by rows
site_output ─────────────────── - W x ─────(+)──> site_output
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.config import SiteShape
from adaptkit.layers.adapter_layer import HandedModule, LowRankLayer
from adaptkit.layers.dropout import dropped
from adaptkit.layers.lora import LoraLayer
from adaptkit.layers.types import compute_type
from adaptkit.methods.dora import DoraConfig


class DoraLayer(HandedModule, LowRankLayer):
    """`site_output + c * (W x + scale * B(A(dropout(x)))) - W x` (Liu et al. 2024, arXiv:2402.09353).

    What `c` divides by is a constant in the gradient, as in the paper. B starts at zero and `gain` at one, so a fresh
    layer changes nothing. This is the other layer that is given a module of the backbone: it asks it for products.
    """

    scales_product = True

    def __init__(self, *, in_width: int, out_width: int, rank: int, scale: float, dropout: float = 0.0) -> None:
        super().__init__()
        lora = LoraLayer(in_width=in_width, out_width=out_width, rank=rank, scale=scale)
        self.scale, self.dropout = scale, dropout
        self.lora_A, self.lora_B = lora.lora_A, lora.lora_B
        self.gain = nn.Parameter(torch.ones(out_width))
        self._lengths: Tensor | None = None
        self._ratio: tuple[tuple[int, ...], Tensor] | None = None

    @property
    def down(self) -> Tensor:
        """A. Shape: (rank, in_width)."""
        return self.lora_A.weight

    @property
    def up(self) -> Tensor:
        """B, by rows times `c`. Shape: (out_width, rank), float32."""
        return self._c().unsqueeze(1) * self.lora_B.weight

    @property
    def product_scales(self) -> Tensor:
        """How far `c` is from one. Shape: (out_width,), float32."""
        return self._c() - 1

    def _c(self) -> Tensor:
        # Both factors in full precision: c is near one, and its distance from that is what counts.
        return self.gain * self._kept_ratio()

    def forward(self, site_input: Tensor, site_output: Tensor) -> Tensor:
        """Shape: site_input (..., in_width), site_output and result (..., out_width)."""
        here = compute_type(site_input)
        x = site_input.to(here)
        read = dropped(x, self.dropout, self.training)
        a, b = self.lora_A.weight.to(here), (self.lora_B.weight * self.scale).to(here)
        c = self._c()
        change = self.product(x) * (c - 1).to(here) + F.linear(F.linear(read, a), b) * c.to(here)
        return site_output + change.to(site_output.dtype)

    def weight_change(self, weight: Callable[[], Tensor]) -> Tensor:
        """Shape: what `weight` gives and the result (out_width, in_width), float32."""
        with torch.no_grad():
            frozen = weight()
            whole = frozen + self.scale * (self.lora_B.weight.float() @ self.lora_A.weight.float()).to(frozen.device)
            lengths = self.gain.float().to(frozen.device) * frozen.norm(dim=1)
            changed: Tensor = (lengths / _safe(whole.norm(dim=1))).unsqueeze(1) * whole
            return changed - frozen

    def use(self, module: nn.Module) -> None:
        """Act after this module of the backbone."""
        super().use(module)
        self._lengths = self._ratio = None

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "DoraLayer":
        """What `to`, `half` and their like are made of."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        self._lengths = self._ratio = None
        return self

    def _kept_ratio(self) -> Tensor:
        """`|W| / |W + scale * B A|`, remembered while A and B stay what they are. Shape: (out_width,), float32."""
        held = (self.lora_A.weight, self.lora_B.weight)
        if any(weight.requires_grad for weight in held):
            return self._new_ratio()
        versions = tuple(weight._version for weight in held)
        if self._ratio is None or self._ratio[0] != versions:
            # Asked for first inside inference mode, it may be needed in training of what lies above.
            with torch.inference_mode(False):
                self._ratio = versions, self._new_ratio()
        return self._ratio[1]

    def _new_ratio(self) -> Tensor:
        with torch.no_grad():
            if self._lengths is None:
                with torch.inference_mode(False):
                    self._lengths = row_lengths(self.product, self.lora_A.weight)
            a, b = self.lora_A.weight.float(), self.lora_B.weight.float() * self.scale
            # The rows of W + B A, squared: W is not there to be added to.
            along = (self.product(a).t().float() * b).sum(dim=1)
            squares = self._lengths.square() + 2 * along + ((b @ (a @ a.t())) * b).sum(dim=1)
            return self._lengths / _safe(squares.clamp(min=0).sqrt())


def row_lengths(product: Callable[[Tensor], Tensor], like: Tensor) -> Tensor:
    """Lengths of the rows of the weight that is multiplied by. Shape: like (rank, in_width), result (out_width,)."""
    with torch.no_grad():
        lengths: Tensor = product(torch.eye(like.shape[-1], device=like.device)).float().norm(dim=0)
    return lengths


def _safe(lengths: Tensor) -> Tensor:
    return lengths.clamp(min=torch.finfo(torch.float32).tiny)


def dora_layer(config: DoraConfig, place: SiteShape) -> DoraLayer:
    """A fresh layer at a site."""
    return DoraLayer(
        in_width=place.in_width,
        out_width=place.out_width,
        rank=config.rank,
        scale=config.scale,
        dropout=config.dropout,
    )
