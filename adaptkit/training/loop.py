"""The training loop: one explicit loop over batches, on accelerate, resumable at every step."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones.hardware import fast_attention, peak_memory_bytes, wait_for
from adaptkit.backbones.out_of_memory import memory_errors_told
from adaptkit.backbones.precision import bfloat16_blocks, loss_scale, types_as_said, uses_bfloat16
from adaptkit.errors import DivergedTraining, TrainingInterrupted
from adaptkit.heads.batch import Batch, Objective
from adaptkit.model import AdaptedModel, StackLike
from adaptkit.training.checkpoint import CheckpointFolder, Progress, TrainingState
from adaptkit.training.data import RunData
from adaptkit.training.interrupt import InterruptFlag
from adaptkit.training.keeping import CheckpointKeeper
from adaptkit.training.processes import Processes
from adaptkit.training.progress import Display
from adaptkit.training.randomness import RandomStreams
from adaptkit.training.settings import TrainingSettings

BatchStack: TypeAlias = StackLike | Callable[[Batch], StackLike]
"""The stack in force, or how it follows from a batch: each language may have its own adapter below."""

_CHECK_FINITE_EVERY = 10
_LEARNED_NOTHING = 0.98


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run did. `before` and `after` are means over the held-out sentences."""

    steps: int
    tokens: int
    elapsed_s: float
    peak_memory_bytes: int
    before: dict[str, float]
    after: dict[str, float]
    stopped_because: str

    @property
    def tokens_per_s(self) -> float:
        """Real tokens (no padding) a second, evaluations not counted."""
        return self.tokens / max(self.elapsed_s, 1e-9)


class TrainingStep(nn.Module):
    """Backbone under a stack, and the objective on top: a prepared batch to its measures.

    `trained` holds the adapter's layers and the objective; the backbone is no part of it. The processes share the
    backbone's work; the objective is computed on the whole batch in each.
    """

    def __init__(
        self,
        model: AdaptedModel,
        layers: AdapterLayers,
        objective: nn.Module,
        stack: BatchStack,
        processes: Processes,
        streams: RandomStreams,
    ) -> None:
        super().__init__()
        self._processes = processes
        self._streams = streams
        self.trained = nn.ModuleDict({"adapter": layers, "objective": objective})
        self._model = [model]
        self._stack = stack

    def forward(self, batch: Batch, *, bare: bool = False) -> dict[str, Tensor]:
        """The objective's measures; `bare` runs the backbone without the stack and without gradients."""
        model = self._model[0]
        objective: Objective = self.trained["objective"]  # type: ignore[assignment]  # an nn.Module that is one
        if bare:
            hidden = self._frozen(batch, objective)
        else:
            with model.active(self._stack(batch) if callable(self._stack) else self._stack):
                hidden = self._states(batch, objective)
        if batch.anchors is not None:
            batch = replace(batch, frozen=hidden if bare else self._frozen(batch, objective))
        return dict(objective.measures(hidden, batch))

    def _frozen(self, batch: Batch, objective: Objective) -> Tensor:
        with torch.no_grad():
            return self._states(batch, objective)

    def _states(self, batch: Batch, objective: Objective) -> Tensor:
        def states(ids: Tensor, mask: Tensor) -> Tensor:
            with self._streams.own():
                hidden: Tensor = self._model[0](ids, mask, blocks=objective.blocks)
            return hidden

        return self._processes.in_shares(states, batch.ids, batch.mask)


class TrainingRun:
    """One run: what is trained, on what, how, and how far it is."""

    def __init__(
        self,
        model: AdaptedModel,
        layers: AdapterLayers,
        objective: nn.Module,
        data: RunData,
        settings: TrainingSettings,
        *,
        stack: BatchStack,
        checkpoint: CheckpointFolder | None = None,
    ) -> None:
        self.device = device = model.backbone.device
        self._backbone = model.backbone
        self._model = model
        self._objective: Objective = objective  # type: ignore[assignment]  # an nn.Module that is one
        self._data = data
        self._settings = settings
        self._bf16 = uses_bfloat16(settings.precision, device)
        self._processes = Processes(device)
        self._streams = RandomStreams(device, settings.seed, self._processes)
        step = TrainingStep(model, layers, objective, stack, self._processes, self._streams)
        trained = {name: weight for name, weight in step.trained.named_parameters() if weight.requires_grad}
        optimizer = torch.optim.AdamW(trained.values(), lr=1.0, weight_decay=settings.weight_decay, fused=True)
        self._state = TrainingState(trained, optimizer)
        self._keeper = CheckpointKeeper(checkpoint, self._state, self._streams, self._processes, settings)
        self._weights = list(trained.values())
        self._step, self._optimizer = step, optimizer
        self._progress = Progress()

    def run(self, display: Display, *, resume: bool = False) -> RunResult:
        """Train to the end, and leave the best weights in place. The checkpoint stays until `forget_checkpoint`.

        Raises:
            OutOfMemory: The memory does not hold a batch; it says which options to turn.
            DivergedTraining: The loss or a weight is no finite number; a checkpoint from before is kept.
            TrainingInterrupted: Ctrl-C or SIGTERM; the checkpoint was written, if there is a folder for it.
            CheckpointError: There is a checkpoint to resume, and it is another run's.
            ProcessFailed: Another process cannot go on.
        """
        self._processes.meet()
        if resume:
            self._resume(display)
        with self._fast_backbone(), InterruptFlag(several=self._processes.count > 1) as interrupted:
            stopped = self._train(display, interrupted)
            self._state.use_best()
            after = self.evaluate()
        if (doubt := self._doubt(after["loss"])) is not None:
            display.note(doubt)
            stopped = f"{stopped}; {doubt}"
        return RunResult(
            steps=self._progress.step,
            tokens=self._progress.tokens,
            elapsed_s=self._progress.elapsed_s,
            peak_memory_bytes=self.peak_memory_bytes(),
            before=dict(self._progress.before),
            after=after,
            stopped_because=stopped,
        )

    def _resume(self, display: Display) -> None:
        progress = self._keeper.resumed()
        if progress is None:
            display.note("there is no checkpoint yet: starting at the first step")
            return
        self._progress = progress
        display.note(f"resuming at step {progress.step:,} of {self._settings.max_steps:,}")

    def _doubt(self, loss: float) -> str | None:
        """What a held-out loss says against the run."""
        if not loss < self._progress.before["loss"]:
            return "held-out loss was never better than at the start, so the adapter changes nothing"
        constant = self._data.constant_loss
        if constant is not None and loss > _LEARNED_NOTHING * constant:
            return (
                f"held-out loss {loss:.3f} is no better than that of giving every input the same answer "
                f"({constant:.3f}), so nothing was learned: try another seed, more steps or a lower learning rate"
            )
        return None

    def peak_memory_bytes(self) -> int:
        """The most memory that a process has held: of several, the one that needs most. All of them ask."""
        return max(self._processes.of_each(peak_memory_bytes(self.device)))

    def forget_checkpoint(self) -> None:
        """Delete the checkpoint; called when what was trained is in safety."""
        self._keeper.forget()

    def last_checkpoint(self) -> str:
        """Where the last checkpoint is, in a sentence."""
        return self._keeper.last()

    def evaluate(self) -> dict[str, float]:
        """Means over the held-out sentences, without dropout and with the same masks every time."""
        totals: dict[str, float] = defaultdict(float)
        with self._streams.forked(self._settings.seed), torch.no_grad(), _without_dropout(self._step):
            for rows in self._data.heldout_batches(self._settings.batch_size):
                batch = self._objective.prepare(self._data.batch(rows, self._backbone))
                measures = self._step(batch)
                for name, value in measures.items():
                    totals[name] += float(value) * len(rows)
        # The processes have the same numbers, but for the last bits on unlike hardware: what is decided is one thing.
        return self._processes.from_main({name: total / len(self._data.heldout) for name, total in totals.items()})

    def measure_step(self, rows: list[int]) -> float:
        """Seconds that forward and backward of one batch take; changes no weight."""
        started = time.perf_counter()
        with self._fast_backbone(), self._streams.forked():
            self._backward(rows, bare=False)
            wait_for(self._backbone.device)
        self._optimizer.zero_grad()
        return time.perf_counter() - started

    def _train(self, display: Display, interrupted: InterruptFlag) -> str:
        settings = self._settings
        epoch, plan = -1, []
        per_epoch = len(self._data.batches(settings.batch_size, 0))
        while self._progress.step < settings.max_steps:
            step = self._progress.step
            if self._at_evaluation(step) and self._judge(display):
                return f"no better held-out loss in {settings.patience} evaluations"
            if step // per_epoch != epoch:
                epoch = step // per_epoch
                plan = self._data.batches(settings.batch_size, epoch)
            started = time.perf_counter()
            rows = plan[step % per_epoch]
            loss = self._one_step(rows, step)
            # Looking at the loss waits for the device: a time taken before would leave out most of the step.
            looked_at = float(loss) if step % _CHECK_FINITE_EVERY == 0 or step + 1 == settings.max_steps else None
            n_tokens = self._data.n_tokens(rows)
            self._progress = self._progress.advanced(tokens=n_tokens, elapsed_s=time.perf_counter() - started)
            if looked_at is not None:
                self._check_finite("the loss", looked_at, step)
                display.step(self._progress, settings.max_steps, looked_at)
            stops, is_due = self._processes.any(interrupted.is_set, self._keeper.is_due(self._progress.step))
            failure = self._save_checkpoint(display) if stops or is_due else None
            if stops:
                self._stop_for_user(interrupted, failure)
        self._judge(display)
        return "all steps done"

    def _one_step(self, rows: list[int], step: int) -> Tensor:
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.rate_at(step)
        loss = self._backward(rows, bare=step < self._settings.head_warmup_steps)
        self._processes.average(self._weights)
        nn.utils.clip_grad_norm_(self._weights, self._settings.max_gradient_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return loss

    def _backward(self, rows: list[int], *, bare: bool) -> Tensor:
        batch = self._objective.prepare(self._data.batch(rows, self._backbone))
        loss: Tensor = self._step(batch, bare=bare)["loss"]
        scale = loss_scale(self._backbone.network)
        torch.autograd.backward(loss * scale)
        if scale != 1.0:
            for gradient in (weight.grad for weight in self._weights if weight.grad is not None):
                gradient /= scale
        return loss.detach()

    @contextmanager
    def _fast_backbone(self) -> Iterator[None]:
        network = self._backbone.network
        with (
            types_as_said(self.device),
            fast_attention(network),
            bfloat16_blocks(network) if self._bf16 else nullcontext(),
            memory_errors_told("this run", self.device, self._ways_to_less_memory()),
        ):
            if not self._settings.gradient_checkpointing:
                yield
                return
            self._model.gradient_checkpointing(on=True)
            try:
                yield
            finally:
                self._model.gradient_checkpointing(on=False)

    def _ways_to_less_memory(self) -> str:
        asked = self._settings
        checkpointing = "" if asked.gradient_checkpointing else "gradient_checkpointing=True, "
        return (
            f"Ways to need less: a smaller batch_size (it is {asked.batch_size}), "
            f"{checkpointing}a smaller max_length, a backbone in fewer bits (bits=8 or 4)."
        )

    def _at_evaluation(self, step: int) -> bool:
        since = step - self._settings.head_warmup_steps
        # A resumed run has judged its own step before it was interrupted, unless nothing was judged yet.
        return since >= 0 and since % self._settings.evaluate_every == 0 and step != self._progress.judged_step

    def _judge(self, display: Display) -> bool:
        """Take the held-out loss, keep the weights if it is the best, and say whether patience is at its end."""
        measures = self.evaluate()
        self._check_finite("the held-out loss", measures["loss"], self._progress.step)
        if self._progress.best_loss is None or measures["loss"] < self._progress.best_loss:
            self._state.keep_best()
        self._progress = self._progress.judged(measures)
        display.heldout(measures)
        waited = self._progress.evaluations_without_gain
        return self._settings.patience is not None and waited >= self._settings.patience

    def _check_finite(self, what: str, value: float, step: int) -> None:
        (broken,) = self._processes.any(not math.isfinite(value))
        if not broken:
            return
        kept = ""
        if (folder := self._keeper.folder) is not None and folder.exists():
            kept = f" The checkpoint in {folder.path} is from before; delete it to train with other settings."
        raise DivergedTraining(
            f"{what} is {value} at step {step:,}. Try a lower learning_rate (now {self._settings.learning_rate:g}), or "
            f"precision='fp32'.{kept}"
        )

    def _save_checkpoint(self, display: Display) -> str | None:
        if self._keeper.folder is None:
            return None
        # The loss is looked at now and then only: a broken state must not take the place of a sound one.
        self._check_finite("a weight", 0.0 if self._state.is_finite() else math.nan, self._progress.step)
        return self._keeper.save(self._progress, display)

    def _stop_for_user(self, interrupted: InterruptFlag, failure: str | None) -> None:
        folder = self._keeper.folder
        step = f"stopped at step {self._progress.step:,} of {self._settings.max_steps:,}"
        if folder is None:
            said, path = f"{step}; nothing was kept, because no output folder was given.", None
        elif failure is not None:
            path = folder.path if folder.exists() else None
            again = " Run the same again with resume=True." if path else ""
            said = f"{step}; its checkpoint could not be kept: {failure} {self._keeper.last()}{again}"
        else:
            path = folder.path
            said = f"{step}; the checkpoint is in {path}. Run the same again with resume=True."
        raise TrainingInterrupted(said, path, interrupted.signal_number)


@contextmanager
def _without_dropout(module: nn.Module) -> Iterator[None]:
    module.eval()
    try:
        yield
    finally:
        module.train()
