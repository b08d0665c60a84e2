"""How an objective trains: what each of them says to the recipe."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from adaptkit.attaching import AdapterLayers
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.model import AdaptedModel
from adaptkit.objectives.projection import ProjectionConfig
from adaptkit.training.data import TrainingData
from adaptkit.training.tokenized_text import TokenizedText

OptionsT = TypeVar("OptionsT")
_MOST_WARMUP_STEPS = 100


class ObjectiveTraining(ABC, Generic[OptionsT]):
    """How one objective trains on one model, with these options. A subclass says its loss, and what else differs.

    The recipe makes one for a run and asks for `data`, `config` and `loss`, in this order. `options` are written on the
    card; where the model does not allow what was asked, a subclass puts others in their place, and tells `note`.
    """

    head_warmup: int | None = 0
    """First steps, which train the weights of the loss alone and not yet the adapter (None: a quarter, up to 100)."""

    most_rows: int | None = None
    """How many rows of the text are trained on at most (None: all)."""

    def __init__(self, options: OptionsT, model: AdaptedModel, note: Callable[[str], None]) -> None:
        self.options = options
        self.model = model
        self.note = note

    def data(self, text: TokenizedText) -> TrainingData:
        """What is trained on: the sentences as they are."""
        return TrainingData(text.tokens, None, text.seed, mixture=text.mixture)

    @abstractmethod
    def loss(self, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype) -> nn.Module:
        """The loss of the adapter that has these layers, an `adaptkit.heads.batch.Loss`, on the model's device.

        What it projects is computed in `dtype`.
        """

    def config(self, asked: AdapterConfig) -> AdapterConfig:
        """The adapter that is meant, with what was learned of the text already."""
        return asked

    def in_words(self) -> str:
        """What the plan says of it behind its name, such as a choice that was left open; empty: nothing."""
        return ""

    def kept(self) -> tuple[ProjectionConfig, Mapping[str, Tensor]] | None:
        """What of the trained loss is kept with the adapter: a projection to tokens and its weights; None: nothing."""
        return None

    def skip_warmup_of_unread(self, text: TokenizedText) -> None:
        """Let the weights of the loss not train alone on states of a text that the frozen backbone cannot read."""
        if text.reader is not None:
            self.head_warmup = 0

    def warmup_steps(self, max_steps: int) -> int:
        """How many of the steps train the weights of the loss alone."""
        return min(_MOST_WARMUP_STEPS, max_steps // 4) if self.head_warmup is None else self.head_warmup
