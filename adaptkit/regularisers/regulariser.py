"""A row of the table of regularisers: what is known of one without training with it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adaptkit.options import Options


class Weighed(Options, ABC):
    """The options of a regulariser: one of them is its weight, which is asked for by the regulariser's name."""

    @property
    @abstractmethod
    def weight(self) -> float:
        """How much it counts beside the loss of the task; 0: it is off."""


@dataclass(frozen=True, kw_only=True)
class Regulariser:
    """What a task may be trained with besides its own loss, in training only: held-out losses are those of the task.

    `options` is the frozen dataclass of what a caller may ask, in which the flat name of `weight` is the row's `name`.
    `training` gives the class that knows how it trains (`adaptkit.training.regularisers.Regularising`). `cost` says in
    the plan what it takes, and `paper` goes on the cards of adapters that were trained with it. One that
    `needs_layers` means nothing where the head alone trains; one that `needs_classes` goes with task types that choose
    one of several labels (`TaskType.weighs_classes`).
    """

    name: str
    title: str
    options: type[Weighed]
    training: Callable[[], Any]
    cost: str
    paper: str
    needs_layers: bool = False
    needs_classes: bool = False
