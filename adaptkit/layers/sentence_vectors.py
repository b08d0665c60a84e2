"""How a backbone makes one vector of a text: which tokens' states, and what comes after."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.layers.pooling import mean_pool

PoolingMode: TypeAlias = Literal["mean", "cls", "max", "mean_sqrt_len", "weightedmean", "lasttoken"]
POOLING_MODES: tuple[PoolingMode, ...] = get_args(PoolingMode)


class Projection(nn.Module):
    """A frozen linear layer with an activation, on sentence vectors.

    Shape: weight (out_width, in_width), bias (out_width) or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation
        self.register_buffer("weight", weight.float(), persistent=False)
        self.register_buffer("bias", None if bias is None else bias.float(), persistent=False)

    @property
    def out_width(self) -> int:
        """The width of what it gives."""
        return len(self.get_buffer("weight"))

    def forward(self, vectors: Tensor) -> Tensor:
        """Shape: vectors (batch, in_width), result (batch, out_width), float32."""
        weight, bias = self.get_buffer("weight"), self.bias
        projected: Tensor = self.activation(
            F.linear(vectors.float(), weight.float(), bias.float() if isinstance(bias, Tensor) else None)
        )
        return projected


class UnitLength(nn.Module):
    """Vectors of length 1."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Shape: (batch, width), as the result."""
        return F.normalize(vectors, dim=-1)


class SentenceVectors(nn.Module):
    """Sentence vectors as a backbone was trained to give them; without more said, the mean over real tokens.

    Where a prompt is not to be counted, its `n_skipped` leading tokens are left out. `after` are modules on the pooled
    vectors: projections, and bringing to unit length. Nothing here trains.

    Training and probes see the pooled vectors, before `after`.
    """

    def __init__(
        self,
        mode: PoolingMode = "mean",
        *,
        counts_prompt: bool = True,
        n_skipped: int = 0,
        after: tuple[Projection | UnitLength, ...] = (),
    ) -> None:
        super().__init__()
        self.mode: PoolingMode = mode
        self.counts_prompt = counts_prompt
        self.n_skipped = n_skipped
        self.after = nn.Sequential(*after)

    @property
    def is_plain(self) -> bool:
        """Whether they are the mean over real tokens, and nothing else."""
        return self.mode == "mean" and self.counts_prompt and not len(self.after)

    @property
    def is_of_one_token(self) -> bool:
        """Whether a text's vector is the state of one of its tokens."""
        return self.mode in ("cls", "lasttoken")

    @property
    def out_width(self) -> int | None:
        """The width of the vectors where that is not the backbone's."""
        widths = [module.out_width for module in self.after if isinstance(module, Projection)]
        return widths[-1] if widths else None

    def __str__(self) -> str:
        skipped = "" if self.counts_prompt else " without the prompt"
        projected = "" if self.out_width is None else f", projected to {self.out_width}"
        unit = ", of length 1" if any(isinstance(module, UnitLength) for module in self.after) else ""
        return f"{self.mode} pooling{skipped}{projected}{unit}"

    def counted(self, mask: Tensor, n_skipped: int | None = None) -> Tensor:
        """The mask without the tokens that are skipped. Shape: (batch, seq), as the result."""
        skipped = self.n_skipped if n_skipped is None else n_skipped
        if not skipped:
            return mask
        places = torch.arange(mask.shape[1], device=mask.device)
        return mask * (places >= skipped).to(mask.dtype)

    def pooled(self, hidden: Tensor, mask: Tensor, *, n_skipped: int | None = None) -> Tensor:
        """One vector a row, of whatever width the states have. Real tokens come before padding.

        With another prompt, another number of tokens is skipped.

        Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, hidden_width), float32.
        """
        return _POOLS[self.mode](hidden, self.counted(mask, n_skipped))

    def finished(self, pooled: Tensor) -> Tensor:
        """What comes after pooling. Shape: pooled (batch, hidden_width), result (batch, out_width)."""
        result: Tensor = self.after(pooled)
        return result

    def forward(self, hidden: Tensor, mask: Tensor, *, n_skipped: int | None = None) -> Tensor:
        """Shape: hidden (batch, seq, hidden_width), mask (batch, seq), result (batch, out_width), float32."""
        return self.finished(self.pooled(hidden, mask, n_skipped=n_skipped))


def _first(hidden: Tensor, mask: Tensor) -> Tensor:
    return _at(hidden, mask.to(torch.int32).argmax(dim=1))


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    places = torch.arange(1, mask.shape[1] + 1, device=mask.device, dtype=torch.int32)
    return _at(hidden, (mask.to(torch.int32) * places).argmax(dim=1))


def _at(hidden: Tensor, places: Tensor) -> Tensor:
    return hidden.gather(1, places[:, None, None].expand(-1, 1, hidden.shape[-1])).squeeze(1).float()


def _max(hidden: Tensor, mask: Tensor) -> Tensor:
    return hidden.float().masked_fill(~mask.bool().unsqueeze(-1), float("-inf")).amax(dim=1)


def _sum_by_root(hidden: Tensor, mask: Tensor) -> Tensor:
    """The sum over the root of the number of tokens."""
    return mean_pool(hidden, mask) * mask.float().sum(dim=1, keepdim=True).clamp(min=1).sqrt()


def _weighted_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean with the tokens' places, from 1, as weights (Muennighoff 2022, arXiv:2202.08904)."""
    places = torch.arange(1, mask.shape[1] + 1, device=mask.device, dtype=torch.float32)
    weights = (mask.float() * places).unsqueeze(-1)
    return (hidden.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


_POOLS: Mapping[PoolingMode, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": mean_pool,
    "cls": _first,
    "max": _max,
    "mean_sqrt_len": _sum_by_root,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}
