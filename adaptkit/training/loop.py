"""The training loop: one explicit loop over batches, on accelerate, resumable at every step."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from adaptkit.attaching.adapter_layers import AdapterLayers
from adaptkit.backbones.hardware import peak_memory_bytes, wait_for, works_beside
from adaptkit.backbones.precision import loss_scale
from adaptkit.errors import DivergedTraining
from adaptkit.heads.batch import Batch, Loss
from adaptkit.layers.adapter_layer import LowRankLayer
from adaptkit.model import AdaptedModel
from adaptkit.terminal.asking import as_typed
from adaptkit.terminal.interrupt import InterruptFlag
from adaptkit.training.anchor_states import AnchoredRows
from adaptkit.training.backbone_passes import passes_of, recorders_for
from adaptkit.training.checkpoint import CheckpointFolder
from adaptkit.training.data import RunData
from adaptkit.training.display import Display
from adaptkit.training.fast_backbone import fast_backbone
from adaptkit.training.first_reading import FirstReading
from adaptkit.training.head_start import HeadStart
from adaptkit.training.keeping import CheckpointKeeper
from adaptkit.training.kept_states import ReadOnce
from adaptkit.training.logistic_start import LogisticStart, TriedStart
from adaptkit.training.processes import Processes
from adaptkit.training.progress import Progress
from adaptkit.training.randomness import RandomStreams
from adaptkit.training.reports import Reports, report_of
from adaptkit.training.result import RunResult, doubt_of
from adaptkit.training.settings import TrainingSettings
from adaptkit.training.state import TrainingState
from adaptkit.training.step import BatchStack, TrainingStep, without_dropout

_CHECK_FINITE_EVERY = 10
_NONE: Mapping[str, float] = MappingProxyType({})


class TrainingRun:
    """One run: what is trained, on what, how, and how far it is.

    `scores` measures, of 100, what the model answers as it is then; it is asked beside each held-out loss, in the main
    process, and decides nothing. `read_once` are texts whose states no weight in training changes: they are read before
    the first step, and not again. `start` is where a head goes, and stays or is trained on, if the held-out loss is
    lower there; or where it goes after the last step, if that is lower than steps have found.
    """

    takes_steps: ClassVar[bool] = True

    def __init__(
        self,
        model: AdaptedModel,
        layers: AdapterLayers,
        objective: nn.Module,
        data: RunData,
        settings: TrainingSettings,
        *,
        stack: BatchStack,
        below: BatchStack = None,
        checkpoint: CheckpointFolder | None = None,
        scores: Callable[[], Mapping[str, float]] = dict,
        read_once: ReadOnce | None = None,
        start: LogisticStart | None = None,
    ) -> None:
        self._scores = scores
        self.device = device = model.backbone.device
        self._backbone = model.backbone
        self._model = model
        self._objective: Loss = objective  # type: ignore[assignment]  # an nn.Module that is one
        self._data = data
        self._settings = settings
        self._processes = Processes(device)
        drops = any(isinstance(layer, LowRankLayer) and layer.dropout > 0 for layer in layers.modules())
        self._streams = RandomStreams(device, self._processes, drops=drops)
        self._passes = passes_of(
            model,
            settings,
            n_processes=self._processes.count,
            drops=drops,
            recorders=recorders_for(device),
        )
        step = TrainingStep(self._passes, layers, objective, stack, self._processes, self._streams, below)
        trained = {name: weight for name, weight in step.trained.named_parameters() if weight.requires_grad}
        # An optimizer wants a weight, also where none is trained.
        weights = list(trained.values()) or [nn.Parameter(torch.zeros(1, device=device))]
        optimizer = torch.optim.AdamW(weights, lr=1.0, weight_decay=settings.weight_decay, fused=True)
        self._state = TrainingState(trained, optimizer)
        self._keeper = CheckpointKeeper(checkpoint, self._state, self._streams, self._processes, settings)
        self._weights = list(trained.values())
        self._step, self._optimizer = step, optimizer
        self._first = FirstReading(
            step,
            self._streams,
            settings,
            data,
            self._batch,
            examples=read_once or ReadOnce(),
            anchored=self._anchored_rows(),
        )
        self.start: HeadStart | None = None
        if start is not None:
            self.start = HeadStart(
                start,
                step,
                self._streams,
                self._processes,
                self._state,
                batch=self._batch,
                evaluate=self.evaluate,
            )
        self._progress = Progress()
        self._reports = Reports()
        # A loss that the device may still be computing, and where the run stood behind it.
        self._untold: tuple[Tensor, Progress] | None = None

    def run(self, display: Display, *, resume: bool = False, reports: Reports | None = None) -> RunResult:
        """Train to the end, and leave the best weights in place. The checkpoint stays until `forget_checkpoint`.

        Raises:
            OutOfMemory: The memory does not hold a batch; it says which options to turn.
            DivergedTraining: The loss or a weight is not a finite number; a checkpoint from before is kept.
            TrainingInterrupted: Ctrl-C or SIGTERM; the checkpoint was written, if there is a folder for it.
            CallbackFailed: The callback of the reports raised something; the checkpoint was written likewise.
            CheckpointError: There is a checkpoint to resume, and it is another run's.
            ProcessFailed: Another process cannot go on.
        """
        self._processes.meet()
        if resume:
            self._resume(display)
        several = self._processes.count > 1
        with (
            self._reporting(display, reports or Reports()),
            self._fast_backbone(),
            InterruptFlag(several=several) as interrupted,
            self._first.open(display, lambda: self._stop_if_asked(display, interrupted)),
        ):
            self._progress = replace(self._progress, elapsed_s=self._progress.elapsed_s + self._first.elapsed_s)
            if self.start is not None:
                self._progress = self.start.begin(
                    self._progress, display, lambda: self._stop_if_asked(display, interrupted)
                )
            stopped = self._train(display, interrupted)
            self._state.use_best()
            if self.start is not None:
                stopped = self.start.end(self._progress, stopped, display)
            after = self.evaluate()
        if (doubt := doubt_of(self._progress.before, after, self._data.constant_loss)) is not None:
            display.note(doubt)
            stopped = f"{stopped}; {doubt}"
        if self._data.doubt is not None:
            stopped = f"{stopped}; {self._data.doubt}"
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

    def peak_memory_bytes(self) -> int:
        """The most memory that a process has held: of several, the one that needs most. All of them ask."""
        return max(self._processes.of_each(peak_memory_bytes(self.device)))

    def stored(self, tensor: Tensor) -> Tensor:
        """A copy of a weight as it is saved."""
        return tensor.detach().cpu().clone()

    def forget_checkpoint(self) -> None:
        """Delete the checkpoint; called when what was trained is in safety."""
        self._keeper.forget()

    def last_checkpoint(self) -> str:
        """Where the last checkpoint is, in a sentence."""
        return self._keeper.last()

    def evaluate(self) -> dict[str, float]:
        """Means over the held-out sentences, without dropout and with the same masks every time."""
        with self._streams.forked(self._settings.seed), torch.no_grad(), without_dropout(self._step):
            batches = self._data.heldout_batches(self._settings.batch_size)
            measured = [(self._measures(rows), len(rows)) for rows in batches]
        totals: dict[str, float] = defaultdict(float)
        # Looked at when all is asked for: each look waits for a GPU.
        for measures, n_rows in measured:
            for name, value in measures.items():
                totals[name] += float(value) * n_rows
        # The processes have the same numbers, but for the last bits on unlike hardware: what is decided is one thing.
        return self._processes.from_main({name: total / len(self._data.heldout) for name, total in totals.items()})

    def measure_step(self, rows: list[int]) -> float:
        """Seconds that forward and backward of one batch take; changes no weight."""
        with self._fast_backbone(), self._streams.forked(), self._first.of(rows):
            if self._passes.records:
                self._seconds_of(lambda: self._backward(rows, bare=False))  # recorded, and replayed in what is measured
            seconds = self._seconds_of(lambda: self._backward(rows, bare=False))
        self._optimizer.zero_grad()
        return seconds

    def measure_heldout(self, rows: list[int]) -> float:
        """Seconds that the losses of one held-out batch take."""
        with torch.no_grad(), self._fast_backbone(), self._first.of(rows):
            return self.measure_in_use(lambda: self._measures(rows))

    @property
    def anchor_bytes(self) -> int:
        """What the frozen backbone's states take that the run will keep for its anchors."""
        return self._first.anchor_bytes

    @property
    def read_once_s(self) -> float:
        """Seconds that reading what is not read again has taken until now."""
        return self._first.elapsed_s

    def tried_start(self) -> TriedStart | None:
        """What comes of making the head a regression, found once; None where steps follow it, or there is none.

        All that a run reads once is read for it, and no weight is changed behind it.
        """
        if self.start is None or self.start.reads_before_steps:
            return None
        with self._fast_backbone():
            self._first.read_examples()
            return self.start.tried()

    def measure_start(self) -> float:
        """Seconds that reading takes for a regression that steps follow; else 0."""
        return 0.0 if self.start is None else self.start.seconds(self._data.n_tokens, self.measure_in_use)

    def measure_anchor_states(self) -> float:
        """Seconds that making them takes, before the first step, by a batch of middle length."""
        with self._fast_backbone():
            return self._first.measure_anchors(self._seconds_of)

    def measure_in_use(self, work: Callable[[], object]) -> float:
        """Seconds that something takes beside a held-out loss: with the adapter in place, and without dropout."""
        with self._fast_backbone():
            self._first.read_examples()
            with self._streams.forked(self._settings.seed), without_dropout(self._step):
                return self._seconds_of(work)

    def _seconds_of(self, work: Callable[[], object]) -> float:
        started = time.perf_counter()
        work()
        wait_for(self._backbone.device)
        return time.perf_counter() - started

    def _measures(self, rows: list[int]) -> Mapping[str, Tensor]:
        measures: Mapping[str, Tensor] = self._step(self._batch(rows))
        return measures

    def _train(self, display: Display, interrupted: InterruptFlag) -> str:
        settings = self._settings
        epoch, plan = -1, []
        per_epoch = len(self._data.batches(settings.batch_size, 0))
        while self._progress.step < settings.max_steps:
            step = self._progress.step
            if self._at_evaluation(step):
                self._judge(display)
            # Asked at every step: a run that is resumed may stand behind the evaluation that ends it.
            if (why := self._why_no_step()) is not None:
                return why
            if step // per_epoch != epoch:
                epoch = step // per_epoch
                plan = self._data.batches(settings.batch_size, epoch)
            started = time.perf_counter()
            rows = plan[step % per_epoch]
            loss = self._one_step(rows, step)
            earlier = self._looked_at()
            is_last = step + 1 == settings.max_steps
            if is_last or self._at_evaluation(step + 1):
                # What a GPU has still to do belongs to the time of steps, and not to that of the evaluation.
                wait_for(self.device)
            n_tokens = self._data.n_tokens(rows)
            self._progress = self._progress.advanced(tokens=n_tokens, elapsed_s=time.perf_counter() - started)
            self._tell(display, earlier)
            if step % _CHECK_FINITE_EVERY == 0 or is_last:
                self._untold = loss, self._progress
                if not works_beside(self.device):
                    self._tell(display, self._looked_at())
            self._stop_if_asked(display, interrupted, is_due=self._keeper.is_due(self._progress.step))
        if self._progress.judged_step != self._progress.step:
            self._judge(display)
        return "all steps done"

    def _stop_if_asked(self, display: Display, interrupted: InterruptFlag, *, is_due: bool = False) -> None:
        """End the run behind a checkpoint where that was asked for; write one too where it is due."""
        stops, is_due = self._processes.any(interrupted.is_set, is_due)
        failure = self._save_checkpoint(display) if stops or is_due else None
        if stops:
            stopped_at = f"stopped at step {self._progress.step:,} of {self._settings.max_steps:,}"
            raise self._keeper.interruption(stopped_at, failure, interrupted.signal_number)

    def _looked_at(self) -> tuple[float, Progress] | None:
        """The loss that was not told yet. To look waits for the step, so a GPU is given the next one before."""
        untold, self._untold = self._untold, None
        return None if untold is None else (float(untold[0]), untold[1])

    def _tell(self, display: Display, told: tuple[float, Progress] | None) -> None:
        if told is None:
            return
        loss, progress = told
        self._check_finite("the loss", loss, progress.step - 1)
        display.step(progress, self._settings.max_steps, loss)
        self._report(display, progress, loss=loss)

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
        loss: Tensor = self._step(self._batch(rows), bare=bare)["loss"]
        scale = loss_scale(self._backbone.network)
        torch.autograd.backward(loss * scale)
        if scale != 1.0:
            for gradient in (weight.grad for weight in self._weights if weight.grad is not None):
                gradient /= scale
        return loss.detach()

    def _batch(self, rows: list[int]) -> Batch:
        """Made while a GPU is still busy with the batch before, of which nothing has been asked yet."""
        read = self._data.batch(rows, self._backbone)
        prepared = self._objective.prepare(read)
        # States that are kept are those of the text as it is, and not of what an objective masks in it.
        if prepared.ids is read.ids:
            prepared = self._first.given(prepared, rows)
        return prepared.on(self.device, self._backbone.fetch_words)

    def _fast_backbone(self) -> AbstractContextManager[None]:
        return fast_backbone(self._model, self._passes, self._settings)

    def _anchored_rows(self) -> AnchoredRows | None:
        # Elsewhere than on a CPU the pass that they spare has not been measured against sending them.
        if not self.takes_steps or works_beside(self.device) or self._processes.count > 1:
            return None
        width = self._backbone.shape.hidden_width * max(1, len(self._objective.blocks))
        return AnchoredRows.of(self._data, self._settings, width)

    def _at_evaluation(self, step: int) -> bool:
        since = step - self._settings.head_warmup_steps
        # A resumed run has judged its own step before it was interrupted, unless nothing was judged yet.
        return since >= 0 and since % self._settings.evaluate_every == 0 and step != self._progress.judged_step

    def _judge(self, display: Display) -> None:
        """Take the held-out loss, and keep the weights if it is the best."""
        self._tell(display, self._looked_at())
        measures = self.evaluate()
        self._check_finite("the held-out loss", measures["loss"], self._progress.step)
        if self._progress.best_loss is None or measures["loss"] < self._progress.best_loss:
            self._state.keep_best()
        self._progress = self._progress.judged(measures, self._settings.least_gain)
        scores = self._scored()
        self._show_heldout(display, measures, scores)
        self._report(display, self._progress, heldout=measures, scores=scores)

    def _show_heldout(self, display: Display, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:
        display.heldout(measures, scores)

    def _scored(self) -> Mapping[str, float]:
        found: Mapping[str, float] = {}
        with self._streams.forked(self._settings.seed), without_dropout(self._step), self._processes.together():
            if self._processes.is_main:
                found = self._scores()
        return self._processes.from_main(found)

    def _why_no_step(self) -> str | None:
        """What ends the run, if something does."""
        if self.start is not None and (why := self.start.why_no_step(self._progress)) is not None:
            return why
        return str(self._settings.flat) if self._patience_is_out() else None

    def _patience_is_out(self) -> bool:
        patience = self._settings.patience
        return patience is not None and self._progress.evaluations_without_gain >= patience

    @contextmanager
    def _reporting(self, display: Display, reports: Reports) -> Iterator[None]:
        """While open, reports go there; the main process makes them."""
        self._reports = reports
        try:
            with self._processes.together():
                if self._processes.is_main:
                    reports.begin(self._progress)
            yield
        finally:
            if self._processes.is_main:
                reports.end(display)

    def _report(
        self,
        display: Display,
        progress: Progress,
        *,
        loss: float | None = None,
        heldout: Mapping[str, float] = _NONE,
        scores: Mapping[str, float] = _NONE,
    ) -> None:
        error = None
        if self._processes.is_main:
            report = report_of(progress, self._settings, self.device, loss=loss, heldout=heldout, scores=scores)
            error = self._reports.take(report, display)
        told = self._processes.from_main(None if error is None else f"{type(error).__name__}: {error}")
        if told is not None:
            failure = self._save_checkpoint(display)
            at = f"step {progress.step:,} of {self._settings.max_steps:,}"
            raise self._keeper.failed_callback(f"the callback failed at {at} with {told}", failure) from error

    def _check_finite(self, what: str, value: float, step: int) -> None:
        (broken,) = self._processes.any(not math.isfinite(value))
        if not broken:
            return
        kept = ""
        if (folder := self._keeper.folder) is not None and folder.exists():
            kept = f" The checkpoint in {folder.path} is from before; delete it to train with other settings."
        raise DivergedTraining(
            f"{what} is {value} at step {step:,}. Try a lower learning_rate (now {self._settings.learning_rate:g}), or "
            f"{as_typed(precision='fp32')}.{kept}"
        )

    def _save_checkpoint(self, display: Display) -> str | None:
        if self._keeper.folder is None:
            return None
        self._tell(display, self._looked_at())
        # The loss is looked at now and then only: a broken state must not take the place of a sound one.
        self._check_finite("a weight", 0.0 if self._state.is_finite() else math.nan, self._progress.step)
        return self._keeper.save(self._progress, display)
