"""What each regulariser says to the training of a task."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from torch import Tensor, nn

from adaptkit.backbones import Backbone
from adaptkit.data.letters import NormalForm
from adaptkit.errors import ConfigError
from adaptkit.heads import TaskFormat
from adaptkit.heads.batch import Batch
from adaptkit.methods import MethodConfig
from adaptkit.regularisers import REGULARISERS, Weighed, regulariser_of
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed

OptionsT = TypeVar("OptionsT", bound=Weighed)


@dataclass(frozen=True, kw_only=True)
class TaskMaterial:
    """What trains on a task: on which backbone, a head in which format, and by which method.

    `hides_top_block` as in an `AdapterConfig`: adapters below do not act in the last block. Text beside the labelled
    data is read by `task_format`, which knows the pieces that an adapter below brings, in the form `normalize`.
    """

    backbone: Backbone
    head: HeadConfig
    task_format: TaskFormat
    method: MethodConfig
    hides_top_block: bool = False
    normalize: NormalForm | None = None


class Regularising(nn.Module, ABC, Generic[OptionsT]):
    """One regulariser in one training. A subclass says its penalty, and what a batch needs for it.

    Weights of its own train with the adapter, and are not kept. Both methods are asked in training only. One that reads
    text beside the labelled data says what it is by `source`, and its identity by `content`.
    """

    source = ""
    content = ""

    def __init__(self, options: OptionsT, material: TaskMaterial) -> None:
        super().__init__()
        self.options = options
        self.material = material

    @property
    def told(self) -> str:
        """What a plan says of it."""
        row = regulariser_of(self.options)
        return f"{row.title} (weight {self.options.weight:g}): {row.cost}"

    def prepare(self, batch: Batch) -> Batch:
        """The batch with what the penalty needs. Draws from torch's random state."""
        return batch

    @abstractmethod
    def penalty(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:
        """What is added to the loss, before it is weighed.

        Shape: hidden (rows, seq, hidden_width), outputs as the head gives them for these rows, result ().
        """

    def forward(self, hidden: Tensor, outputs: Tensor, batch: Batch) -> Tensor:
        """The penalty by its weight. Shape: as of `penalty`."""
        return self.options.weight * self.penalty(hidden, outputs, batch)


def regularising_of(asked: Sequence[Weighed], material: TaskMaterial) -> list[Regularising[Weighed]]:
    """The regularisers that are asked for, in one training.

    Raises:
        ConfigError: One that means nothing for the task type, or where only a head trains; or two that read text.
        DataError: Text that is not there or malformed.
    """
    made = [_made(options, material) for options in asked]
    if len(reading := [regulariser_of(each.options).name for each in made if each.source]) > 1:
        raise ConfigError(f"{' and '.join(reading)} do not go together: take one of them.")
    return made


def _made(options: Weighed, material: TaskMaterial) -> Regularising[Weighed]:
    row = regulariser_of(options)
    if row.needs_layers and not material.method.sites:
        raise ConfigError(
            f"{row.name} needs layers that train: with {as_typed(method='head')} the states that the head reads are "
            "those of the frozen stack. Leave it out, or choose another method."
        )
    if row.needs_classes and not material.head.row.weighs_classes:
        raise ConfigError(
            f"{row.name} goes with task types where each target is one of several labels, and this is a head of "
            f"{material.head.row.name}; leave it out, or take {_others(row.name)}."
        )
    made: Regularising[Weighed] = row.training()(options, material).to(material.backbone.device)
    return made


def _others(name: str) -> str:
    return " or ".join(row.name for row in REGULARISERS.values() if row.name != name and not row.needs_classes)
