"""One batch in which every row has a stack of its own.

The weights of all rows are gathered at each site, and two batched products do what a loop over adapters would. A stack
of LoRAs on one row is a concatenation of their ranks: rows of other depths and ranks are filled up with zeros.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching.plan import AveragedChains, Chain, Plan, SiteLayer, run
from adaptkit.errors import ConfigError
from adaptkit.layers import BottleneckLayer, LoraLayer

LoraRow: TypeAlias = list[tuple[LoraLayer, float]]
"""The LoRA layers of one row at one site, with the factor before each."""


def plan_of_rows(plans: Sequence[Plan], same_input: Mapping[str, Hashable]) -> Plan:
    """The plan under which row `i` of a batch has the plan `plans[i]`, for one forward pass.

    Modules that read one input, such as query, key and value, have the same value in `same_input`.
    """
    # Rows that are all alike need one set of weights.
    each = plans[:1] if all(plan is plans[0] for plan in plans) else plans
    chains = {
        module: [plan.get(module, ()) for plan in each]
        for module in dict.fromkeys(module for plan in each for module in plan)
    }
    loras = {module: found for module, rows in chains.items() if (found := _lora_rows(rows)) is not None}
    joint: dict[Hashable, list[str]] = {}
    for module in loras:
        joint.setdefault(same_input.get(module, module), []).append(module)
    acting: dict[str, Chain] = {}
    for modules in joint.values():
        layers = JointLora([loras[module] for module in modules])
        acting |= {module: (layers.at(number),) for number, module in enumerate(modules)}
    return acting | {
        module: rows[0] if len(rows) == 1 else (_rows_layer(rows),)
        for module, rows in chains.items()
        if module not in loras
    }


def _rows_layer(chains: Sequence[Chain]) -> SiteLayer:
    if all(isinstance(layer, BottleneckLayer) for chain in chains for layer in chain):
        bottlenecks = [[layer for layer in chain if isinstance(layer, BottleneckLayer)] for chain in chains]
        if len({type(layer.activation) for chain in bottlenecks for layer in chain}) == 1:
            return RowsOfBottlenecks(bottlenecks)
    return RowsByChain(chains)


def _lora_rows(chains: Sequence[Chain]) -> list[LoraRow] | None:
    found = [_loras(chain) for chain in chains]
    return None if None in found else [row for row in found if row is not None]


def _loras(chain: Chain, weight: float = 1.0) -> LoraRow | None:
    """The LoRA layers of a chain with the factor before each; None where it holds anything else."""
    found: LoraRow = []
    for layer in chain:
        if isinstance(layer, LoraLayer) and not (layer.training and layer.dropout.p):
            found.append((layer, weight * layer.scale))
        elif isinstance(layer, AveragedChains):
            for inner, share in zip(layer.chains, layer.weights, strict=True):
                averaged = _loras(inner, weight * share)
                if averaged is None:
                    return None
                found += averaged
        else:
            return None
    return found


class JointLora:
    """LoRA layers at sites that read one input: row `i` of each gains `sum(scale * B(A(site_input[i])))` of its own.

    The input is projected down for all of these sites at once. `sites` has the layers of each row for each site; one
    row stands for any number of rows.
    """

    def __init__(self, sites: Sequence[Sequence[LoraRow]]) -> None:
        n_rows = self._n_rows = len(sites[0])
        ranks = [max(sum(layer.rank for layer, _ in row) for row in rows) for rows in sites]
        self._ends = list(accumulate(ranks, initial=0))
        self._downs: list[Tensor] = []
        self._ups: list[list[Tensor]] = [[] for _ in sites]
        scales: list[float] = []
        # A view costs more than finding it again, and a layer may stand in many rows.
        layers = {layer for rows in sites for row in rows for layer, _ in row}
        turned = {layer: layer.lora_B.weight.t() for layer in layers}
        some = next(iter(turned)).lora_A.weight
        padding = [_zeros_like_rows(rows, rank) for rows, rank in zip(sites, ranks, strict=True)]
        for number in range(n_rows):
            for rows, rank, ups, (no_downs, no_ups) in zip(sites, ranks, self._ups, padding, strict=True):
                row = rows[number]
                self._downs += [layer.lora_A.weight for layer, _ in row]
                ups += [turned[layer] for layer, _ in row]
                row_scales = [scale for layer, scale in row for _ in range(layer.rank)]
                if missing := rank - len(row_scales):
                    self._downs.append(no_downs[:missing])
                    ups.append(no_ups[:missing])
                scales += [*row_scales, *[0.0] * missing]
        self._scales = some.new_tensor(scales).reshape(n_rows, 1, -1)
        self._input: Tensor | None = None
        self._narrow = self._scales

    def at(self, number: int) -> SiteLayer:
        """The layer of one of the sites."""
        return partial(self._act, number)

    def _act(self, number: int, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: site_input (rows, seq, in_width), site_output and result (rows, seq, out_width)."""
        narrow = self._narrowed(site_input)[..., self._ends[number] : self._ends[number + 1]]
        if number == len(self._ups) - 1:
            self._input = None
        ups = torch.cat(self._ups[number]).view(self._n_rows, narrow.shape[-1], -1).to(site_input.dtype)
        if torch.is_grad_enabled() or site_output.dtype != narrow.dtype:
            return site_output + torch.matmul(narrow, ups).to(site_output.dtype)
        if self._n_rows == 1:
            site_output.view(-1, ups.shape[-1]).addmm_(narrow.reshape(-1, ups.shape[1]), ups[0])
            return site_output
        return site_output.baddbmm_(narrow, ups)

    def _narrowed(self, site_input: Tensor) -> Tensor:
        if site_input is not self._input:
            downs = torch.cat(self._downs).view(self._n_rows, self._ends[-1], -1).to(site_input.dtype)
            if self._n_rows == 1:
                narrow = F.linear(site_input, downs[0])
            else:
                _require_rows(site_input, self._n_rows)
                narrow = torch.bmm(site_input, downs.transpose(1, 2))
            self._input, self._narrow = site_input, narrow * self._scales.to(site_input.dtype)
        return self._narrow


def _zeros_like_rows(rows: Sequence[LoraRow], rank: int) -> tuple[Tensor, Tensor]:
    """Zeros for as many ranks of A and of B as a row may lack."""
    down, up = next((layer.lora_A.weight, layer.lora_B.weight) for row in rows for layer, _ in row)
    return down.new_zeros(rank, down.shape[1]), up.new_zeros(rank, up.shape[0])


class RowsOfBottlenecks:
    """The bottlenecks of each row one after the other; a row with fewer of them is left as it is by the later ones."""

    def __init__(self, rows: Sequence[Sequence[BottleneckLayer]]) -> None:
        depth = max(len(row) for row in rows)
        self._n_rows = len(rows)
        self._levels = [_Level.of([row[level] if level < len(row) else None for row in rows]) for level in range(depth)]

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401, ARG002 - as SiteLayer
        """Shape: site_output and result (rows, seq, hidden_width)."""
        _require_rows(site_output, self._n_rows)
        for level in self._levels:
            site_output = level(site_output)
        return site_output


@dataclass(frozen=True)
class _Level:
    """One bottleneck for each row, widened with zeros to the widest; None adds nothing."""

    rows: tuple[BottleneckLayer | None, ...]
    width: int
    activation: nn.Module

    @classmethod
    def of(cls, rows: Sequence[BottleneckLayer | None]) -> "_Level":
        there = [row for row in rows if row is not None]
        return cls(tuple(rows), max(row.down.out_features for row in there), there[0].activation)

    def __call__(self, output: Tensor) -> Tensor:
        some = next(row for row in self.rows if row is not None)
        hidden = some.down.in_features
        down: list[Tensor] = []
        down_bias: list[Tensor] = []
        up: list[Tensor] = []
        up_bias: list[Tensor] = []
        nothing = some.down.weight.new_zeros(self.width, hidden)
        for row in self.rows:
            width = 0 if row is None else row.down.out_features
            if row is not None:
                down.append(row.down.weight)
                down_bias.append(row.down.bias)
                up.append(row.up.weight.t())
            down.append(nothing[width:])
            down_bias.append(nothing[width:, 0])
            up.append(nothing[width:])
            up_bias.append(nothing[0] if row is None else row.up.bias)
        n_rows = len(self.rows)
        narrow = torch.baddbmm(
            torch.cat(down_bias).view(n_rows, 1, -1),
            output.to(some.down.weight.dtype),
            torch.cat(down).view(n_rows, self.width, hidden).transpose(1, 2),
        )
        change = torch.baddbmm(
            torch.stack(up_bias).unsqueeze(1), self.activation(narrow), torch.cat(up).view(n_rows, self.width, hidden)
        )
        return output + change.to(output.dtype)


class RowsByChain:
    """Any layers: the rows of each distinct chain are taken out, run through it, and put back."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        rows_of: dict[Hashable, tuple[Chain, list[int]]] = {}
        for row, chain in enumerate(chains):
            rows_of.setdefault(tuple(map(id, chain)), (chain, []))[1].append(row)
        self._n_rows = len(chains)
        self._groups = [(chain, torch.tensor(rows)) for chain, rows in rows_of.values() if chain]

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: site_input and site_output (rows, ...), result as site_output."""
        _require_rows(site_output, self._n_rows)
        result = site_output
        for chain, rows in self._groups:
            here = rows.to(site_output.device)
            inputs = site_input[here] if isinstance(site_input, Tensor) else site_input
            result = result.index_copy(0, here, run(chain, inputs, site_output[here]))
        return result


def _require_rows(site_output: Tensor, n_rows: int) -> None:
    if site_output.shape[0] != n_rows:
        raise ConfigError(
            f"{n_rows} stacks are in force and the batch has {site_output.shape[0]} rows; give one stack for each row."
        )
