"""The tensors of a head as values, so that a file's structure is known without making the head.

They are those of the modules in `adaptkit.layers.heads`: a head of another module says its own.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from adaptkit.task_types.head_fields import HeadFields

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


def one_per_label(head: HeadFields) -> int:
    """An output for each label."""
    return len(head.labels)


def sentence_head(n_outputs: Callable[[HeadFields], int]) -> Callable[[HeadFields, int], Shapes]:
    """Those of a `SentenceHead`, for a head and a hidden width."""

    def shapes(head: HeadFields, hidden_width: int) -> Shapes:
        dense = {"dense.weight": (hidden_width, hidden_width), "dense.bias": (hidden_width,)}
        return {**dense, **_out(n_outputs(head), hidden_width)}

    return shapes


def token_head(n_outputs: Callable[[HeadFields], int]) -> Callable[[HeadFields, int], Shapes]:
    """Those of a `TokenHead`, for a head and a hidden width."""
    return lambda head, hidden_width: _out(n_outputs(head), hidden_width)


def no_tensors(_: HeadFields, __: int) -> Shapes:
    """A head that only compares."""
    return {}


def _out(n_outputs: int, hidden_width: int) -> Shapes:
    return {"out.weight": (n_outputs, hidden_width), "out.bias": (n_outputs,)}
