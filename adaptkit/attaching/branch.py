"""Rows of one text whose stacks agree in the lower blocks: those blocks are run once for all of them.

A head alone on top of a language adapter agrees with another one in all blocks, an adapter of the upper blocks in those
below. Above the block where stacks part, each row goes on under its own.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn

from adaptkit.attaching.plan import Chain, Plan

Depth = Callable[[str], int]
"""The number of the block that a module is in: -1 before the first, that of the last one behind it."""


@dataclass(frozen=True)
class Branch:
    """Rows that share their way up to a block, `block` being the first that is run for each by itself.

    `trunks` are rows, one for each way; `trunk_of` says for every row which of these ways is its own.
    """

    block: int
    trunks: tuple[int, ...]
    trunk_of: tuple[int, ...]


def branch_of(texts: Sequence[Hashable], plans: Sequence[Plan], n_blocks: int, depth: Depth) -> Branch | None:
    """The branch that spares most blocks; None where there is nothing to spare.

    `texts` are equal for rows that read the same.
    """
    if len(set(texts)) == len(texts):
        return None
    ways = {id(plan): _ways(plan, n_blocks, depth) for plan in plans}
    best: tuple[int, Branch] | None = None
    for block in range(1, n_blocks + 1):
        trunks: dict[Hashable, int] = {}
        keys = [(text, ways[id(plan)][block]) for text, plan in zip(texts, plans, strict=True)]
        for row, key in enumerate(keys):
            trunks.setdefault(key, row)
        spared = block * (len(keys) - len(trunks))
        if spared and (best is None or spared >= best[0]):
            number = {key: place for place, key in enumerate(trunks)}
            best = spared, Branch(block, tuple(trunks.values()), tuple(number[key] for key in keys))
    return None if best is None else best[1]


def _ways(plan: Plan, n_blocks: int, depth: Depth) -> list[frozenset[tuple[str, Chain]]]:
    """What acts before the first block, and up to the end of each."""
    acting: list[list[tuple[str, Chain]]] = [[] for _ in range(n_blocks + 1)]
    for module, chain in plan.items():
        acting[depth(module) + 1].append((module, chain))
    return [frozenset(every) for every in accumulate(acting)]


def joined_at(block: int, below: Plan, above: Plan, depth: Depth) -> Plan:
    """A plan that is one of rows that share their way below a block, and of all rows from there on."""
    lower: Mapping[str, Chain] = {module: chain for module, chain in below.items() if depth(module) < block}
    return {**lower, **{module: chain for module, chain in above.items() if depth(module) >= block}}


@contextmanager
def spread_from(blocks: Sequence[nn.Module], n_trunks: int, rows: Sequence[int]) -> Iterator[None]:
    """Let these blocks, from the first one on, run for each row what the trunks gave, in this thread.

    `rows` says for each row which trunk it goes on from.
    """
    thread, index = get_ident(), torch.tensor(rows)

    def of_rows(value: Any) -> Any:  # noqa: ANN401 - whatever blocks are given
        if isinstance(value, tuple):
            return tuple(map(of_rows, value))
        has_trunks = isinstance(value, Tensor) and value.dim() > 1 and value.shape[0] == n_trunks
        return value[index.to(value.device)] if has_trunks else value

    def spread(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, Any] | None:
        if get_ident() != thread:
            return None
        return of_rows(given), {name: of_rows(value) for name, value in named.items()}

    handles = [block.register_forward_pre_hook(spread, with_kwargs=True) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
