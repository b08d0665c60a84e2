"""One batch in which every row has a stack of its own.

Rows of one stack are brought side by side, and their weights gathered once at each site; batched products then do what
a loop over stacks would, one for each shape that stacks have. Low-rank layers in a stack are a concatenation of ranks.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, groupby, zip_longest
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.attaching.columns import Column, Shared, columns_of, low_rank
from adaptkit.attaching.plan import Chain, Plan, SiteLayer, run
from adaptkit.errors import ConfigError
from adaptkit.layers import BatchedLayer, LowRankLayer, Normed, PieceRows, reading, text_read

T = TypeVar("T")


class RowPlan(dict[str, Chain]):
    """The plan of one stack, which remembers what it is in a batch of many.

    Modules that read one input, such as query, key and value, have the same value in `same_input`. `adapters` are those
    of its layers that do not change any more, from the lowest to the uppermost.
    """

    def __init__(self, plan: Plan, same_input: Mapping[str, Hashable], adapters: Sequence[AdapterLayers] = ()) -> None:
        super().__init__(plan)
        self._same_input = same_input
        self._adapters = adapters

    @cached_property
    def columns(self) -> tuple[Column, ...] | None:
        """What of it banks hold; None where it has no place in them."""
        return columns_of(self, self._adapters)

    @cached_property
    def terms(self) -> Mapping[Hashable, "LowRankTerms"]:
        """The low-rank layers by the input that they read."""
        found: dict[Hashable, dict[str, list[Shared]]] = {}
        for module, chain in self.items():
            layers = low_rank(chain)
            if layers is not None:
                found.setdefault(self._same_input.get(module, module), {})[module] = layers
        return {site_input: LowRankTerms(layers) for site_input, layers in found.items()}

    @cached_property
    def others(self) -> frozenset[str]:
        """The modules at which anything else acts."""
        return frozenset(self).difference(*(terms.ranks for terms in self.terms.values()))

    @cached_property
    def shape(self) -> tuple[object, ...]:
        """Equal for stacks of low-rank layers whose weights one product can take at every site."""
        return tuple((site_input, terms.shape) for site_input, terms in self.terms.items())

    @cached_property
    def n_pieces(self) -> int:
        """How many token ids above the vocabulary it gives rows."""
        return sum(len(layer.rows) for chain in self.values() for layer in chain if isinstance(layer, PieceRows))

    @cached_property
    def _may_drop(self) -> list[LowRankLayer]:
        return [layer for terms in self.terms.values() for layer in terms.layers if layer.dropout]

    @property
    def drops(self) -> bool:
        """Whether dropout acts now, which differs from row to row."""
        return any(layer.training for layer in self._may_drop)


class LowRankTerms:
    """The low-rank layers of one stack at modules that read one input, with the share of each."""

    def __init__(self, layers: Mapping[str, Sequence[Shared]]) -> None:
        self.layers = [layer for shared in layers.values() for layer, _ in shared]
        self.scales = [
            share * layer.scale for shared in layers.values() for layer, share in shared for _ in range(layer.rank)
        ]
        self.scale = self.scales[0] if len(set(self.scales)) == 1 else None
        self.ranks = {module: sum(layer.rank for layer, _ in shared) for module, shared in layers.items()}
        self.downs: list[Tensor] = [layer.down for layer in self.layers]
        self._layers_at = layers
        self._scaling = {
            module: scaling
            for module, shared in layers.items()
            if (scaling := [(layer, share) for layer, share in shared if layer.scales_product])
        }
        self.shape = tuple((module, rank, module in self._scaling) for module, rank in self.ranks.items())
        # Making a view takes longer than all else that is done for a group of rows.
        with torch.no_grad():
            self._ups = {module: self._turned(module) for module in layers if module not in self._scaling}

    def ups(self, module: str) -> list[Tensor]:
        """Each B at a module, turned. Shape: (rank, out_width)."""
        kept = None if torch.is_grad_enabled() else self._ups.get(module)
        return self._turned(module) if kept is None else kept

    def _turned(self, module: str) -> list[Tensor]:
        return [layer.up.t() for layer, _ in self._layers_at[module]]

    def scales_product(self, module: str) -> bool:
        """Whether any layer at a module adds to the linear layer's own product too."""
        return module in self._scaling

    def product_scales(self, module: str) -> Tensor:
        """By what that is multiplied, of all layers together. Shape: (out_width,)."""
        scales = [share * layer.product_scales for layer, share in self._scaling[module]]
        return scales[0] if len(scales) == 1 else torch.stack(scales).sum(dim=0)

    def own_product(self, module: str, site_output: Tensor) -> Tensor:
        """The linear layer's own product, found in what it has given. Shape: (..., out_width)."""
        return self._scaling[module][0][0].own_product(site_output)


@dataclass(frozen=True)
class RowGroups:
    """The rows of a batch in an order in which those of one stack lie side by side, and groups of one shape too."""

    plans: tuple[RowPlan, ...]
    sizes: tuple[int, ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, plans: Sequence[RowPlan]) -> "RowGroups":
        """The groups of a batch whose row `i` has the plan `plans[i]`."""
        rows_of: dict[int, list[int]] = {}
        for row, plan in enumerate(plans):
            rows_of.setdefault(id(plan), []).append(row)
        alike: dict[object, list[list[int]]] = {}
        for rows in rows_of.values():
            alike.setdefault((len(rows), plans[rows[0]].shape), []).append(rows)
        groups = [rows for part in alike.values() for rows in part]
        order = tuple(row for rows in groups for row in rows)
        return cls(tuple(plans[rows[0]] for rows in groups), tuple(map(len, groups)), order)

    @cached_property
    def rows(self) -> tuple[slice, ...]:
        """Where each group lies."""
        ends = accumulate(self.sizes)
        return tuple(slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True))

    def sorted(self, x: Tensor) -> Tensor:
        """Rows as they were given, brought into order. Shape: (rows, ...)."""
        return x if self._is_sorted else x[torch.tensor(self.order, device=x.device)]

    def restored(self, x: Tensor) -> Tensor:
        """Rows in order, brought back. Shape: (rows, ...)."""
        return x if self._is_sorted else x[torch.tensor(self.order, device=x.device).argsort()]

    @property
    def _is_sorted(self) -> bool:
        return self.order == tuple(range(len(self.order)))


def plan_of_rows(groups: RowGroups) -> Plan:
    """The plan for one forward pass over rows in the order of `groups`."""
    one_by_one: dict[str, None] = {}
    for plan in groups.plans:
        one_by_one |= dict.fromkeys(plan if plan.drops else plan.others)
    acting: dict[str, Chain] = {}
    for site_input in dict.fromkeys(site_input for plan in groups.plans for site_input in plan.terms):
        terms = [plan.terms.get(site_input) for plan in groups.plans]
        modules = dict.fromkeys(module for each in terms if each is not None for module in each.ranks)
        if one_by_one.keys() & modules:
            one_by_one |= modules
        else:
            joint = JointTerms(terms, groups)
            acting |= {module: (joint.at(module),) for module in modules}
    return acting | {module: _chain_of_groups(module, groups) for module in one_by_one}


def _chain_of_groups(module: str, groups: RowGroups) -> Chain:
    chains = [plan.get(module, ()) for plan in groups.plans]
    if len(chains) == 1:
        return chains[0]
    batched = [[layer for layer in chain if isinstance(layer, BatchedLayer)] for chain in chains]
    if list(map(len, batched)) == list(map(len, chains)):
        return (BatchedGroups(batched, groups),)
    return (GroupsByChain(chains, groups),)


@dataclass(frozen=True)
class _Span(Generic[T]):
    """Neighbouring groups of as many rows each, and what one batched product takes of them."""

    members: tuple[T, ...]
    rows: slice

    def of(self, x: Tensor) -> Tensor:
        """Its part of a batch. Shape: x (all rows, seq, width), result (groups, rows of a group x seq, width)."""
        # For one token of few rows, as where text is generated, cutting takes as long as a product.
        part = x if self.rows.start == 0 and self.rows.stop == x.shape[0] else x[self.rows]
        whole = part.dim() == 3 and part.shape[0] == len(self.members)
        return part if whole else part.reshape(len(self.members), -1, x.shape[-1])


def _spans(groups: RowGroups, members: Sequence[T | None], shape: Callable[[T], Hashable]) -> list[_Span[T]]:
    """Neighbours that have as many rows and one shape; None does nothing."""
    spans: list[_Span[T]] = []
    placed = zip(members, groups.sizes, groups.rows, strict=True)
    for alike, part in groupby(placed, lambda place: None if place[0] is None else (shape(place[0]), place[1])):
        inside, _, rows = zip(*part, strict=True)
        if alike is not None:
            spans.append(_Span(inside, slice(rows[0].start, rows[-1].stop)))
    return spans


class JointTerms:
    """Low-rank layers at modules of one input: a row of each gains `sum(scale * up(down(site_input)))` of its own.

    The input is projected down for all of these modules at once. Nothing has acted on the output before, so it still
    holds the linear layer's own product, for layers that add to that.
    """

    def __init__(self, terms: Sequence[LowRankTerms | None], groups: RowGroups) -> None:
        self._n_rows = len(groups.order)
        self._parts = [_JointPart(span) for span in _spans(groups, terms, lambda each: each.shape)]
        self._input: Tensor | None = None
        self._narrow: list[dict[str, Tensor]] = []
        self._to_come: set[str] = set()

    def at(self, module: str) -> SiteLayer:
        """The layer of one of the modules."""
        return partial(self._act, module)

    def _act(self, module: str, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: site_input (rows, seq, in_width), site_output and result (rows, seq, out_width)."""
        if site_input is not self._input or module not in self._to_come:
            _require_rows(site_output, self._n_rows)
            self._input, self._narrow = site_input, [part.narrow(site_input) for part in self._parts]
            self._to_come = {each for narrow in self._narrow for each in narrow}
        result = _writable(site_output)
        for part, narrow in zip(self._parts, self._narrow, strict=True):
            if module in narrow:
                part.add(module, narrow[module], site_output, result)
        self._to_come.remove(module)
        if not self._to_come:
            self._input, self._narrow = None, []
        return result


class _JointPart:
    """What `JointTerms` does to the rows of one span."""

    def __init__(self, span: _Span[LowRankTerms]) -> None:
        self._span, self._ranks = span, span.members[0].ranks
        self._downs = [down for terms in span.members for down in terms.downs]
        self._kept: Tensor | None = None
        scale = span.members[0].scale
        self._scale: float | Tensor
        if scale is not None and all(terms.scale == scale for terms in span.members):
            self._scale = scale
        else:
            self._scale = self._downs[0].new_tensor([terms.scales for terms in span.members]).unsqueeze(1)

    def narrow(self, site_input: Tensor) -> dict[str, Tensor]:
        """The input projected down, and scaled where the scales differ.

        Shape: site_input (all rows, seq, in_width), for each module (groups, rows of a group x seq, rank).
        """
        x = self._span.of(site_input)
        narrow = torch.bmm(x, self._turned_downs(x.dtype))
        if isinstance(self._scale, Tensor):
            narrow = narrow * self._scale.to(x.dtype)
        parts = torch.split(narrow, [*self._ranks.values()], dim=-1) if len(self._ranks) > 1 else (narrow,)
        return dict(zip(self._ranks, parts, strict=True))

    def add(self, module: str, narrow: Tensor, site_output: Tensor, result: Tensor) -> None:
        """Add the term at a module to its rows of the result, which may be the site's output itself.

        Shape: narrow as above, site_output and result (all rows, seq, out_width).
        """
        out = self._span.of(result)
        first = self._span.members[0]
        if first.scales_product(module):
            scales = torch.stack([terms.product_scales(module) for terms in self._span.members]).unsqueeze(1)
            out += (first.own_product(module, self._span.of(site_output)) * scales).to(out.dtype)
        ups = _joined([up for terms in self._span.members for up in terms.ups(module)])
        ups = ups.reshape(len(out), narrow.shape[-1], -1).to(narrow.dtype)
        scale = 1.0 if isinstance(self._scale, Tensor) else self._scale
        if out.dtype == narrow.dtype:
            out.baddbmm_(narrow, ups, alpha=scale)
        else:
            out += (torch.bmm(narrow, ups) * scale).to(out.dtype)

    def _turned_downs(self, dtype: torch.dtype) -> Tensor:
        """All A side by side; those of one stack are kept for the next token, those of many would take much memory.

        Shape: (groups, in_width, ranks).
        """
        if self._kept is not None and self._kept.dtype == dtype and not torch.is_grad_enabled():
            return self._kept
        members = len(self._span.members)
        downs = _joined(self._downs)
        turned = downs.reshape(members, -1, downs.shape[-1]).to(dtype).transpose(1, 2)
        if members == 1 and not torch.is_grad_enabled():
            self._kept = turned
        return turned


def _joined(matrices: Sequence[Tensor]) -> Tensor:
    """Rows one behind the other, without a copy of one alone."""
    return matrices[0] if len(matrices) == 1 else torch.cat(list(matrices))


def _writable(site_output: Tensor) -> Tensor:
    """The output of a linear layer itself, where changing it harms nobody; else a copy."""
    if torch.is_grad_enabled() or not site_output.is_contiguous():
        return site_output.clone(memory_format=torch.contiguous_format)
    return site_output


class BatchedGroups:
    """The layers of each group one after the other; a group with fewer is left as it is by the later ones."""

    def __init__(self, chains: Sequence[Sequence[BatchedLayer]], groups: RowGroups) -> None:
        self._n_rows = len(groups.order)
        self._spans = [
            span
            for level in zip_longest(*chains)
            for span in _spans(groups, level, lambda layer: (type(layer), layer.shape))
        ]

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401, ARG002 - as SiteLayer
        """Shape: site_output and result (rows, seq, width)."""
        _require_rows(site_output, self._n_rows)
        result = site_output.clone(memory_format=torch.contiguous_format)
        for span in self._spans:
            span.members[0].act_at_once(span.members, span.of(result))
        return result


class GroupsByChain:
    """Any layers: the rows of each group run through its own."""

    def __init__(self, chains: Sequence[Chain], groups: RowGroups) -> None:
        self._chains = chains
        self._groups = groups

    def __call__(self, site_input: Any, site_output: Tensor, /) -> Tensor:  # noqa: ANN401 - as SiteLayer
        """Shape: site_input and site_output (rows, ...), result as site_output."""
        _require_rows(site_output, len(self._groups.order))
        parts, text = [], text_read()
        for chain, rows in zip(self._chains, self._groups.rows, strict=True):
            with reading(None if text is None else text.of_rows(rows)):
                parts.append(run(chain, _of_rows(site_input, rows), site_output[rows]))
        return torch.cat(parts)


def _of_rows(site_input: Any, rows: slice) -> Any:  # noqa: ANN401 - as SiteLayer
    if isinstance(site_input, Normed):
        return site_input.of_rows(rows)
    return site_input[rows] if isinstance(site_input, Tensor) else site_input


def _require_rows(site_output: Tensor, n_rows: int) -> None:
    if site_output.shape[0] != n_rows:
        raise ConfigError(
            f"{n_rows} stacks are active and the batch has {site_output.shape[0]} rows; give one stack for each row."
        )
