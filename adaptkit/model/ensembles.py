"""Several stacks that answer each input together."""

from collections.abc import Callable, Sequence
from typing import Any

from adaptkit.errors import ConfigError
from adaptkit.model.stacks import ResolvedStack, StackLike
from adaptkit.task_types import TASK_TYPES, HeadConfig

_LEAST_STACKS = 2


def members_of(ensemble: Sequence[StackLike], stack: StackLike, stacks: Sequence[StackLike] | None) -> list[StackLike]:
    """The stacks of an ensemble.

    Raises:
        ConfigError: A stack is asked for besides, or there are not several.
    """
    if stack is not None or stacks is not None:
        raise ConfigError("all stacks of an ensemble answer each input; leave out stack and stacks.")
    if isinstance(ensemble, str) or not isinstance(ensemble, Sequence) or len(ensemble) < _LEAST_STACKS:
        raise ConfigError(
            f"ensemble takes a list of at least {_LEAST_STACKS} stacks, such as ['topics', 'sw > topics'], found "
            f"{ensemble!r}. For one, give it as stack."
        )
    return list(ensemble)


def mean_of(members: Sequence[ResolvedStack], heads: Sequence[HeadConfig]) -> Callable[[Sequence[Any]], Any]:
    """What makes one answer to an input of those that the head of each stack gives.

    Raises:
        ConfigError: A stack is there twice, or the heads give answers of several kinds, or such as have no mean.
    """
    names = [str(member.stack) for member in members]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"the ensemble has {twice} twice; each stack counts once.")
    first = heads[0]
    other = next((head for head in heads if _kind(head) != _kind(first)), None)
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


def _kind(head: HeadConfig) -> tuple[str, frozenset[str]]:
    return head.task_type, frozenset(head.labels)
