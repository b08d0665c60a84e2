"""Several stacks that answer each input together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from adaptkit.composition import Ensemble, parse_composition
from adaptkit.errors import ConfigError
from adaptkit.layers import Head
from adaptkit.model.stacks import ResolvedStack, StackLike
from adaptkit.task_types import TASK_TYPES, HeadConfig


@dataclass(frozen=True, eq=False)
class ResolvedEnsemble:
    """The stacks that answer an input, as they were when they were looked up; a stack alone is one of one.

    `heads` are those on top of them, of one kind, and `mean` makes one answer of what they give.
    """

    stacks: tuple[ResolvedStack, ...]
    heads: tuple[tuple[Head, HeadConfig], ...]
    mean: Callable[[Sequence[Any]], Any]

    @classmethod
    def of(cls, stacks: Sequence[ResolvedStack], heads: Sequence[tuple[Head, HeadConfig]]) -> "ResolvedEnsemble":
        """Those stacks, with the head on top of each.

        Raises:
            ConfigError: A stack is there twice, or the heads give answers of several kinds, or such as have no mean.
        """
        if len(stacks) == 1:
            return cls(tuple(stacks), tuple(heads), itemgetter(0))
        Ensemble(*(stack.stack for stack in stacks))  # of several names, some may mean one stack
        return cls(tuple(stacks), tuple(heads), _mean_of([config for _, config in heads]))

    @property
    def head(self) -> HeadConfig:
        """What an input of it is, and its answer."""
        return self.heads[0][1]


AnsweredBy: TypeAlias = StackLike | Ensemble | ResolvedEnsemble
"""A stack, or an ensemble."""


def stacks_of(named: AnsweredBy) -> Sequence[StackLike]:
    """The stacks that are to answer together.

    Raises:
        ConfigError: A text that is no composition.
    """
    if isinstance(named, str):
        named = parse_composition(named)
    return named.stacks if isinstance(named, Ensemble | ResolvedEnsemble) else [named]


def _mean_of(heads: Sequence[HeadConfig]) -> Callable[[Sequence[Any]], Any]:
    """What makes one answer of those of several heads."""
    first = heads[0]
    other = next((head for head in heads if kind_of(head) != kind_of(first)), None)
    if other is not None:
        raise ConfigError(
            f"the stacks of an ensemble end in heads of one kind, found {first.row.told(first)}; and "
            f"{other.row.told(other)}. Give stacks with the same labels on top."
        )
    mean = first.row.averaged
    if mean is None:
        known = ", ".join(name for name, row in TASK_TYPES.items() if row.averaged is not None)
        raise ConfigError(f"answers of {first.row.in_words} have no mean; an ensemble can answer {known}.")
    return mean


def kind_of(head: HeadConfig) -> tuple[str, frozenset[str]]:
    """By which answers of two heads are of one kind: the type of the task, and its labels in any order."""
    return head.task_type, frozenset(head.labels)
