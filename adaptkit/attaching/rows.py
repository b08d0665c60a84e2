"""One batch in which every row has a stack of its own.

The weights of all rows are gathered at each site, and two batched products do what a loop over adapters would. A stack
of LoRAs on one row is a concatenation of their ranks: rows of other depths and ranks are filled up with zeros.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from adaptkit.attaching.plan import AveragedChains, Chain, Plan, SiteLayer, run
from adaptkit.errors import ConfigError
from adaptkit.layers import BottleneckLayer, LoraLayer

_Scaled: TypeAlias = tuple[LoraLayer, float]


class RowPlan(dict[str, Chain]):
    """The plan of one stack, which remembers what it is in a batch of many."""

    @cached_property
    def loras(self) -> Mapping[str, "LoraRow"]:
        """The modules at which LoRA layers act and nothing else."""
        found = {module: _loras(chain) for module, chain in self.items()}
        return {module: LoraRow(layers) for module, layers in found.items() if layers is not None}


class LoraRow:
    """The LoRA layers of one stack at one module, with the factor before each."""

    def __init__(self, layers: Sequence[_Scaled]) -> None:
        self.layers = [layer for layer, _ in layers]
        self.scales = [scale for _, scale in layers]
        self.rank = sum(layer.rank for layer in self.layers)
        self.downs: list[Tensor] = [layer.lora_A.weight for layer in self.layers]
        # Making a view takes longer than all else that is done for a row.
        self._ups: list[Tensor] = [layer.lora_B.weight.detach().t() for layer in self.layers]
        self._may_drop = [layer for layer in self.layers if layer.dropout]

    @property
    def ups(self) -> list[Tensor]:
        """Each B, turned. Shape: (rank, out_width)."""
        return [layer.lora_B.weight.t() for layer in self.layers] if torch.is_grad_enabled() else self._ups

    @property
    def drops(self) -> bool:
        """Whether dropout acts now, which differs from row to row."""
        return any(layer.training for layer in self._may_drop)


_NOTHING = LoraRow(())


def plan_of_rows(plans: Sequence[RowPlan], same_input: Mapping[str, Hashable]) -> Plan:
    """The plan under which row `i` of a batch has the plan `plans[i]`, for one forward pass.

    Modules that read one input, such as query, key and value, have the same value in `same_input`.
    """
    # Rows that are all alike need one set of weights.
    each = plans[:1] if all(plan is plans[0] for plan in plans) else plans
    acting: dict[str, Chain] = {}
    joint: dict[Hashable, dict[str, list[LoraRow]]] = {}
    for module in dict.fromkeys(module for plan in {id(plan): plan for plan in each}.values() for module in plan):
        loras = _lora_rows(module, each)
        if loras is not None:
            joint.setdefault(same_input.get(module, module), {})[module] = loras
        elif len(each) == 1:
            acting[module] = each[0][module]
        else:
            acting[module] = (_rows_layer([plan.get(module, ()) for plan in each]),)
    for sites in joint.values():
        layers = JointLora(list(sites.values()))
        acting |= {module: (layers.at(number),) for number, module in enumerate(sites)}
    return acting


def _lora_rows(module: str, plans: Sequence[RowPlan]) -> list[LoraRow] | None:
    """The LoRA layers of each row; None where other layers act on one of them, or dropout."""
    rows: list[LoraRow] = []
    for plan in plans:
        row = plan.loras.get(module) if module in plan else _NOTHING
        if row is None or row.drops:
            return None
        rows.append(row)
    return rows


def _rows_layer(chains: Sequence[Chain]) -> SiteLayer:
    if all(isinstance(layer, BottleneckLayer) for chain in chains for layer in chain):
        bottlenecks = [[layer for layer in chain if isinstance(layer, BottleneckLayer)] for chain in chains]
        if len({type(layer.activation) for chain in bottlenecks for layer in chain}) == 1:
            return RowsOfBottlenecks(bottlenecks)
    return RowsByChain(chains)


def _loras(chain: Chain, weight: float = 1.0) -> list[_Scaled] | None:
    """The LoRA layers of a chain with the factor before each; None where it holds anything else."""
    found: list[_Scaled] = []
    for layer in chain:
        if isinstance(layer, LoraLayer):
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
        self._n_rows = len(sites[0])
        ranks = [max(row.rank for row in rows) for rows in sites]
        self._ends = list(accumulate(ranks, initial=0))
        self._downs: list[Tensor] = []
        self._ups: list[list[Tensor]] = [[] for _ in sites]
        padding = [
            _zeros_like(next(row for row in rows if row.rank), rank) for rows, rank in zip(sites, ranks, strict=True)
        ]
        turned = [{id(row): row.ups for row in rows} for rows in sites]
        for rows in zip(*sites, strict=True):
            for number, row in enumerate(rows):
                self._downs += row.downs
                self._ups[number] += turned[number][id(row)]
                if missing := ranks[number] - row.rank:
                    no_downs, no_ups = padding[number]
                    self._downs.append(no_downs[:missing])
                    self._ups[number].append(no_ups[:missing])
        every = {scale for rows in sites for row in rows for scale in row.scales}
        self._scale: float | Tensor = every.pop() if len(every) == 1 else self._scales_of(sites, ranks)
        self._input: Tensor | None = None
        self._narrow = self._downs[0]

    def _scales_of(self, sites: Sequence[Sequence[LoraRow]], ranks: Sequence[int]) -> Tensor:
        """The factor before each rank of each row, 0 where zeros fill it up. Shape: (n_rows, 1, all ranks)."""
        scales: list[float] = []
        for rows in zip(*sites, strict=True):
            for row, rank in zip(rows, ranks, strict=True):
                for layer, scale in zip(row.layers, row.scales, strict=True):
                    scales += [scale] * layer.rank
                scales += [0.0] * (rank - row.rank)
        return self._downs[0].new_tensor(scales).reshape(self._n_rows, 1, -1)

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
            scale = self._scale if isinstance(self._scale, float) else self._scale.to(narrow.dtype)
            self._input, self._narrow = site_input, narrow * scale
        return self._narrow


def _zeros_like(row: LoraRow, rank: int) -> tuple[Tensor, Tensor]:
    """Zeros for as many ranks of A and of turned B as a row may lack."""
    layer = row.layers[0]
    return layer.lora_A.weight.new_zeros(rank, layer.lora_A.weight.shape[1]), layer.lora_B.weight.new_zeros(
        rank, layer.lora_B.weight.shape[0]
    )


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
