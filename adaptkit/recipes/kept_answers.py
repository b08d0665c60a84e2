"""What a head answers to held-out examples whose states are kept, so that the backbone does not read them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from adaptkit.backbones import Backbone
from adaptkit.data.batching import chunks
from adaptkit.data.tasks import Example
from adaptkit.heads import TaskFormat
from adaptkit.labelled import without_label
from adaptkit.layers import Head
from adaptkit.task_types import Item
from adaptkit.training.kept_states import KeptStates


@dataclass(frozen=True)
class KeptExample:
    """An example, the items that a model reads to answer it, and the numbers under which their states are kept."""

    example: Example
    task_format: TaskFormat
    items: Sequence[Item]
    numbers: Sequence[int]

    @classmethod
    def of(cls, example: Example, task_format: TaskFormat, kept: Mapping[int, Item]) -> "KeptExample | None":
        """None where other items of it are kept: a training reads less of a long text, or not all windows of it."""
        items = task_format.items([without_label(example)])
        if list(map(_read, items)) != list(map(_read, kept.values())):
            return None
        return cls(example, task_format, items, list(kept))


@dataclass(frozen=True)
class KeptAnswers:
    """Such examples, by their places among all that are scored, with their states and the head that answers."""

    examples: Mapping[int, KeptExample]
    states: KeptStates
    backbone: Backbone
    head: Head
    batch_size: int

    def some(self, places: Sequence[int]) -> "KeptAnswers":
        """Those at these places, numbered in their order."""
        found = {new: self.examples[old] for new, old in enumerate(places) if old in self.examples}
        return replace(self, examples=found)

    def answers(self) -> dict[int, Any]:
        """By place, what the head answers now; nothing where states are not kept yet, or no longer."""
        found: dict[int, Any] = {}
        with torch.inference_mode():
            for places in chunks(list(self.examples), self.batch_size):
                some = [self.examples[place] for place in places]
                items = [item for known in some for item in known.items]
                _, mask = self.backbone.pad([row for item in items for row in item.rows])
                states = self.states.of([number for known in some for number in known.numbers], mask)
                if states is None:
                    return {}
                outputs = iter(torch.split(self.head(states, mask).cpu(), [len(item.rows) for item in items]))
                for place, known in zip(places, some, strict=True):
                    own = [next(outputs) for _ in known.items]
                    found[place] = known.task_format.predictions([known.example], known.items, own)[0]
        return found


def _read(item: Item) -> list[bytes]:
    return [row.tobytes() for row in item.rows]
