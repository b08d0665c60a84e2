"""What of a head's outputs an explanation is about: one number, and the words that may have decided it.

A task type can be explained where its upper half is an `ExplainedFormat`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from adaptkit.data.read_words import ReadWords
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.heads.task_format import TaskFormat
from adaptkit.task_types import TASK_TYPES, AnyTaskType, Item

LOG_ODDS = "log odds"


@dataclass(frozen=True)
class Wanted:
    """What a caller wants explained: another answer than the one that was given, and of which word."""

    target: str | int | None = None
    word: str | int | None = None


@dataclass(frozen=True)
class Aim:
    """The number that is explained. `item` is that of the example's items which it is read of.

    `score` makes it of the outputs of that item's rows, shape (n, rows, ...) to (n), in the unit `unit`; `said` gives
    what an answer to the example says about it. `wanted` asks for the same again. Each of `sides` are rows whose words
    are left out together, while the others are read as they are; there is only one where all are.
    """

    item: int
    target: str
    unit: str
    score: Callable[[Tensor], Tensor]
    said: Callable[[Any], str]
    wanted: Wanted
    sides: tuple[tuple[int, ...], ...] = ()


@runtime_checkable
class ExplainedFormat(TaskFormat, Protocol):
    """A task format whose answers can be explained."""

    def aim(self, example: Example, items: Sequence[Item], outputs: Sequence[Tensor], wanted: Wanted) -> Aim:
        """What is explained of one example. Shape: outputs, for each of its items (rows of the item, ...).

        Raises:
            ConfigError: A target, or a word, that the example cannot have.
        """
        ...

    def changed(self, before: Any, after: Any) -> Wanted:  # noqa: ANN401 - its own predictions
        """What of an answer is to be explained where it was another one before."""
        ...

    def words(self, example: Example, item: int) -> ReadWords:
        """The words that the rows of one of the example's items read, counted among those of the example alone.

        Raises:
            ConfigError: The tokenizer does not say where its tokens stand.
        """
        ...


def explained_format(task_format: TaskFormat, row: AnyTaskType) -> ExplainedFormat:
    """The same format.

    Raises:
        ConfigError: It cannot explain its answers; the message says of what types heads can.
    """
    if isinstance(task_format, ExplainedFormat):
        return task_format
    able = [
        each.name
        for each in TASK_TYPES.values()
        if all(hasattr(each.upper(), name) for name in ("aim", "changed", "words"))
    ]
    raise ConfigError(
        f"answers of a {row.name} head cannot be explained: its task type does not say what decides. Heads of "
        f"{', '.join(able)} can."
    )


def log_odds(logits: Tensor, number: int) -> Tensor:
    """`log(p / (1 - p))` of one of the choices. Shape: (..., n_choices) to (...)."""
    others = logits.clone()
    others[..., number] = float("-inf")
    return logits[..., number] - torch.logsumexp(others, dim=-1)


def share(probability: float) -> str:
    """`93 %`."""
    return f"{100 * probability:.0f} %"


def wanted_label(labels: Sequence[str], wanted: Wanted, predicted: str) -> str:
    """The label that is explained: the wanted one, or the predicted one.

    Raises:
        ConfigError: The head has no such label, or a word was named where a text has one label.
    """
    target = predicted if wanted.target is None else wanted.target
    if target not in labels:
        raise ConfigError(f"target is {target!r:.60}, and the labels of this head are {', '.join(labels)}.")
    return str(target)


def require_no_word(wanted: Wanted) -> None:
    """Refuse a chosen word where the whole text has one answer.

    Raises:
        ConfigError: One was chosen.
    """
    if wanted.word is not None:
        raise ConfigError(
            f"word={wanted.word!r:.60} chooses the word whose tag is explained, and this head gives no tags; leave it "
            "out, or say another answer as target."
        )


def require_no_target(wanted: Wanted, gives: str) -> None:
    """Refuse another answer where there is only one number.

    Raises:
        ConfigError: One was asked for.
    """
    if wanted.target is not None:
        raise ConfigError(
            f"target is {wanted.target!r:.60}, another answer, and this head gives {gives}; leave it out."
        )
