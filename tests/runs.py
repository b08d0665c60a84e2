"""Small training runs on tiny backbones, and displays that press Ctrl-C."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones.precision import run_type
from adaptkit.data.sample import sample_pairs
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import TrainingInterrupted
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.training import CheckpointFolder, Display, RunResult, TrainingData, TrainingRun, TrainingSettings
from adaptkit.training.display import Silent
from adaptkit.training.objectives import DistillObjective, MaskingRule, masked_objective
from adaptkit.training.progress import Progress
from tests.calls import train_adapter
from tests.tiny import tiny_model

PAIRS = sample_pairs("sw")[:60]
SWAHILI = [sentence for _, sentence in PAIRS]
ObjectiveName = Literal["mlm", "distill"]


@dataclass
class Watching:
    """A display that remembers what it was told."""

    notes: list[str] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    scores: list[Mapping[str, float]] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:
        """Nothing."""

    def heldout(self, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        self.losses.append(measures["loss"])
        self.scores.append(scores)


@dataclass
class CtrlC(Watching):
    """Presses Ctrl-C after so many steps. The loop reports steps 1, 11, 21, ... and the last one."""

    after: int = 1
    times: int = 1
    number: int = signal.SIGINT

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:  # noqa: ARG002
        if progress.step == self.after:
            for _ in range(self.times):
                signal.raise_signal(self.number)


@contextmanager
def ctrl_c_in(owner: object, name: str, *, call: int) -> Iterator[list[int]]:
    """While open, Ctrl-C is pressed in this call of a function. What is given has a number for each call of it."""
    plain, calls = getattr(owner, name), list[int]()

    def pressed(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as of the function
        calls.append(len(calls) + 1)
        if len(calls) == call:
            signal.raise_signal(signal.SIGINT)
        return plain(*given, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, pressed)
        yield calls


def opener(display: Display) -> Callable[..., AbstractContextManager[Display]]:
    """What to put in the place of `open_display`, so that a recipe reports to this display."""

    @contextmanager
    def open_display(**_: object) -> Iterator[Display]:
        yield display

    return open_display


def train_and_interrupt(*, after: int, **arguments: Any) -> None:  # noqa: ANN401 - arguments of train_adapter
    """Call `train_adapter`, and press Ctrl-C after so many steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("adaptkit.recipes.train.open_display", opener(CtrlC(after=after)))
        with pytest.raises(TrainingInterrupted):
            train_adapter(**arguments)


@dataclass
class SmallRun:
    """A run with what it trains."""

    model: AdaptedModel
    layers: AdapterLayers
    run: TrainingRun

    @property
    def weights(self) -> dict[str, Tensor]:
        return {name: weight.detach().clone() for name, weight in self.layers.named_tensors().items()}

    def train(self, display: Display | None = None, *, resume: bool = False, seed: int = 0) -> RunResult:
        """Run from this seed on, as the recipes do."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.run.run(display or Silent(), resume=resume)


def small_data(model: AdaptedModel, *, seed: int = 0) -> TrainingData:
    """Sixty Swahili sentences, and the frozen vectors of their translations."""
    return TrainingData(TokenStore(model.backbone.tokenize(SWAHILI)), model.encode([text for text, _ in PAIRS]), seed)


def small_run(
    objective: ObjectiveName = "distill",
    *,
    max_steps: int = 25,
    dropout: float = 0.3,
    checkpoint: CheckpointFolder | None = None,
    trained_by: type[TrainingRun] = TrainingRun,
    model: AdaptedModel | None = None,
    data: TrainingData | None = None,
    made: nn.Module | None = None,
    **settings: Any,  # noqa: ANN401 - fields of TrainingSettings
) -> SmallRun:
    """A fresh model with a fresh adapter, and a run that trains it."""
    model = model or tiny_model()
    data = data or small_data(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = model.attach_layers("language/sw", AdapterConfig(method=LoraConfig(rank=4, dropout=dropout)))
    asked = TrainingSettings(max_steps=max_steps, batch_size=8, **settings)
    dtype = run_type(asked.precision, model.backbone.device)
    run = trained_by(
        model,
        layers,
        made or _objective(objective, model, layers, data, dtype),
        data,
        asked,
        stack="language/sw",
        checkpoint=checkpoint,
    )
    return SmallRun(model, layers, run)


def _objective(
    name: ObjectiveName, model: AdaptedModel, layers: AdapterLayers, data: TrainingData, dtype: torch.dtype
) -> nn.Module:
    assert data.targets is not None
    if name == "distill":
        return DistillObjective.for_targets(data.targets.nan_to_num())
    vocabulary = torch.from_numpy(data.sentences.vocabulary())
    return masked_objective(
        model.backbone, layers, rule=MaskingRule(), vocabulary=vocabulary, anchor_weight=1.0, dtype=dtype
    )
