"""One batch in which every row has a stack of its own.

The weights of all rows are gathered at each site, and two batched products do what a loop over adapters would. A stack
of LoRAs on one row is a concatenation of their ranks: rows of other depths and ranks are filled up with zeros.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from adaptkit.attaching.plan import AveragedChains, Chain, Plan, SiteLayer, run
from adaptkit.errors import ConfigError
from adaptkit.layers import BottleneckLayer, LoraLayer


def plan_of_rows(plans: Sequence[Plan]) -> Plan:
    """The plan under which row `i` of a batch has the plan `plans[i]`."""
    if all(plan is plans[0] for plan in plans):
        return plans[0]
    modules = dict.fromkeys(module for plan in plans for module in plan)
    return {module: (_rows_layer([plan.get(module, ()) for plan in plans]),) for module in modules}


def _rows_layer(chains: Sequence[Chain]) -> SiteLayer:
    if (loras := [_loras(chain) for chain in chains]) and None not in loras:
        return RowsOfLora([found for found in loras if found is not None])
    if all(isinstance(layer, BottleneckLayer) for chain in chains for layer in chain):
        bottlenecks = [[layer for layer in chain if isinstance(layer, BottleneckLayer)] for chain in chains]
        if len({type(layer.activation) for chain in bottlenecks for layer in chain}) == 1:
            return RowsOfBottlenecks(bottlenecks)
    return RowsByChain(chains)


def _loras(chain: Chain, weight: float = 1.0) -> list[tuple[LoraLayer, float]] | None:
    """The LoRA layers of a chain with the factor before each; None where it holds anything else."""
    found: list[tuple[LoraLayer, float]] = []
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


class RowsOfLora:
    """`site_output[i] + sum(scale * B(A(site_input[i])))` over the LoRA layers of row `i`."""

    def __init__(self, rows: Sequence[Sequence[tuple[LoraLayer, float]]]) -> None:
        some = next(layer for row in rows for layer, _ in row)
        ranks = [sum(layer.rank for layer, _ in row) for row in rows]
        self._n_rows, self._rank = len(rows), max(ranks)
        self._downs: list[Tensor] = []
        self._ups: list[Tensor] = []
        scales = []
        empty = some.lora_A.weight
        # A view costs more than finding it again, and a layer may stand in many rows.
        turned = {layer: layer.lora_B.weight.t() for row in rows for layer, _ in row}
        for row, rank in zip(rows, ranks, strict=True):
            self._downs += [layer.lora_A.weight for layer, _ in row]
            self._ups += [turned[layer] for layer, _ in row]
            scales += [scale for layer, scale in row for _ in range(layer.rank)]
            if missing := self._rank - rank:
                self._downs.append(empty.new_zeros(missing, some.lora_A.weight.shape[1]))
                self._ups.append(empty.new_zeros(missing, some.lora_B.weight.shape[0]))
                scales += [0.0] * missing
        self._scales = empty.new_tensor(scales).reshape(self._n_rows, 1, self._rank)

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: site_input (rows, seq, in_width), site_output and result (rows, seq, out_width)."""
        _require_rows(site_output, self._n_rows)
        downs = torch.cat(self._downs).view(self._n_rows, self._rank, -1).to(site_input.dtype)
        ups = torch.cat(self._ups).view(self._n_rows, self._rank, -1).to(site_input.dtype)
        narrow = torch.bmm(site_input, downs.transpose(1, 2)) * self._scales.to(site_input.dtype)
        if torch.is_grad_enabled() or site_output.dtype != narrow.dtype:
            return site_output + torch.bmm(narrow, ups).to(site_output.dtype)
        return site_output.baddbmm_(narrow, ups)


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
