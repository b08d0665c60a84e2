"""A copy of a network in a quarter of the time that `copy.deepcopy` takes: thousands of tests take one."""

from copy import deepcopy
from types import FunctionType
from typing import Any, TypeVar

import torch
from torch import nn

Net = TypeVar("Net", bound=nn.Module)
_VALUES = (str, int, float, type(None), type, torch.dtype, FunctionType)


def copied(network: Net, memo: dict[int, Any] | None = None) -> Net:
    """The same network with weights of its own. Each of its modules has a dozen empty tables of hooks, made anew."""
    memo = {} if memo is None else memo
    if id(network) not in memo:
        memo[id(network)] = network.__class__.__new__(network.__class__)
        vars(memo[id(network)]).update((name, _copied(value, memo)) for name, value in vars(network).items())
    twin: Net = memo[id(network)]
    return twin


def _copied(value: Any, memo: dict[int, Any]) -> Any:  # noqa: ANN401 - anything that a module holds
    if isinstance(value, _VALUES):
        return value
    if isinstance(value, nn.Module):
        return copied(value, memo)
    if isinstance(value, dict) and (not value or isinstance(next(iter(value.values())), nn.Module)):
        twin = type(value)()
        twin.update((name, _copied(part, memo)) for name, part in value.items())
        return twin
    return deepcopy(value, memo)
