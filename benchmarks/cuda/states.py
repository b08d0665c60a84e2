"""Cases: random state and runs that are interrupted, with the device's own random numbers."""

import signal
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.data.tokens import TokenStore
from adaptkit.errors import TrainingInterrupted
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.holding import Graphs
from adaptkit.methods import LoraConfig
from adaptkit.model import AdaptedModel
from adaptkit.training import CheckpointFolder, TrainingData, TrainingRun, TrainingSettings
from adaptkit.training.display import Silent
from adaptkit.training.objectives import MaskingRule, masked_objective
from adaptkit.training.progress import Progress
from adaptkit.training.randomness import forked
from benchmarks.cuda import limits
from benchmarks.cuda.case import Case, against_itself
from benchmarks.cuda.place import SWAHILI, Place

_STEPS = 24
_DROPS = AdapterConfig(method=LoraConfig(rank=4, dropout=0.3))
_numbers = count()


@dataclass
class _CtrlC(Silent):
    """Presses Ctrl-C after so many steps; the loop reports steps 1, 11 and 21."""

    after: int

    def step(self, progress: Progress, total_steps: int, loss: float) -> None:  # noqa: ARG002
        if progress.step == self.after:
            signal.raise_signal(signal.SIGINT)


class _Counted(TrainingRun):
    """Counts, from the third step on, what a step asks the GPU for and waits for."""

    n_waits = 0

    def _one_step(self, rows: list[int], step: int) -> Tensor:
        if self.device.type != "cuda" or step < 2:
            return super()._one_step(rows, step)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                return super()._one_step(rows, step)
            finally:
                torch.cuda.set_sync_debug_mode("default")
                type(self).n_waits += sum("synchronizing" in str(each.message) for each in told)


def _waits(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """A step asks for nothing, so that the next one can be made ready while it is computed."""
    _Counted.n_waits = 0
    # To record a step waits, once for each shape.
    _run(place.model(), None, kind=_Counted, graphs="never")
    return {"waits": (torch.tensor(float(_Counted.n_waits)), torch.zeros(()))}


def _run(
    model: AdaptedModel,
    folder: Path | None,
    *,
    interrupt_after: int = 0,
    resume: bool = False,
    kind: type[TrainingRun] = TrainingRun,
    graphs: Graphs = "auto",
) -> Tensor:
    """Train with masks and dropout of the device; gives what it has added to the weights."""
    data = TrainingData(TokenStore(model.backbone.tokenize(SWAHILI)), model.encode(SWAHILI), seed=0)
    with forked(model.backbone.device, 0):
        layers = model.attach_layers("language/sw", _DROPS)
        start = _weights(layers)
        vocabulary = torch.from_numpy(data.sentences.vocabulary())
        objective = masked_objective(
            model.backbone,
            layers,
            rule=MaskingRule(),
            vocabulary=vocabulary,
            anchor_weight=1.0,
            dtype=torch.float32,
        )
        settings = TrainingSettings(
            max_steps=_STEPS, batch_size=8, precision="fp32", evaluate_every=8, patience=None, graphs=graphs
        )
        checkpoint = None if folder is None else CheckpointFolder(folder, {"run": "one"})
        run = kind(model, layers, objective, data, settings, stack="language/sw", checkpoint=checkpoint)
        try:
            run.run(_CtrlC(interrupt_after), resume=resume)
        except TrainingInterrupted:
            assert interrupt_after
    added = _weights(layers) - start
    model.detach("language/sw")
    return added


def _weights(layers: AdapterLayers) -> Tensor:
    return torch.cat([weight.detach().flatten().cpu() for weight in layers.parameters()])


def _resumed(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """Interrupted and resumed in another model, as in another process, against the same in one go."""
    folder = place.folder / f"checkpoint-{next(_numbers)}"
    whole = _run(place.model(), None)
    first = _run(place.model(), folder, interrupt_after=11)
    resumed = _run(place.model(), folder, resume=True)
    differs = torch.tensor(float((first - whole).norm() > 0))
    return {"resumed": (resumed, whole), "interrupted before the end": (differs, torch.ones(()))}


def _random_state(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """The caller's random numbers go on as if nothing had been trained."""

    def draws() -> Tensor:
        return torch.cat([torch.rand(4), torch.rand(4, device=place.device).cpu()])

    model = place.model()
    with forked(place.device, 5):
        expected = draws()
    with forked(place.device, 5):
        _run(model, None)
        found = draws()
    return {"draws": (found, expected)}


def _recomputed_dropout(place: Place) -> Mapping[str, tuple[Tensor, Tensor]]:
    """With gradient checkpointing, dropout in a block falls on the same numbers again when it is computed again."""
    model = place.model()
    with forked(place.device, 0):
        layers = model.attach_layers("language/sw", _DROPS).train()
        with torch.no_grad():
            for weight in layers.parameters():
                weight.copy_(0.1 * torch.randn(weight.shape))
    ids, mask = model.backbone.pad(model.backbone.tokenize(SWAHILI[:8]))
    gradients = []
    for on in (False, True):
        model.gradient_checkpointing(on=on)
        layers.zero_grad()
        with forked(place.device, 7):
            with model.active("sw"):
                states = model(ids, mask)
            torch.autograd.backward((states * torch.linspace(-1, 1, states.shape[-1], device=states.device)).sum())
        gradients.append(
            torch.cat([weight.grad.flatten() for weight in layers.parameters() if weight.grad is not None])
        )
    return {"gradient": (gradients[1], gradients[0])}


def cases() -> Iterator[Case]:
    """All of these."""
    values: dict[str, Any] = {
        "an interrupted run, resumed": (_resumed, limits.TRAINED),
        "a step of a training waits for nothing": (_waits, limits.SAME_RUN),
        "a run leaves the caller's random state": (_random_state, limits.FP32),
        "dropout under gradient checkpointing": (_recomputed_dropout, limits.SAME_RUN),
    }
    for name, (run, limit) in values.items():
        yield Case(f"state: {name}", against_itself(run, limit))
