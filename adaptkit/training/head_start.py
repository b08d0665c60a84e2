"""Where the head of a run starts, or ends: a regression, where that has a lower held-out loss."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from adaptkit.heads.batch import Batch
from adaptkit.training.display import Display
from adaptkit.training.logistic_start import LogisticStart, TriedStart
from adaptkit.training.processes import Processes
from adaptkit.training.progress import Progress
from adaptkit.training.randomness import RandomStreams
from adaptkit.training.state import TrainingState
from adaptkit.training.step import TrainingStep, without_dropout


class HeadStart:
    """What a run does with its `regression`: looks once what it is worth, and lets the head go there, or not.

    `batch` makes a batch of these rows, and `evaluate` takes the held-out means.
    """

    def __init__(
        self,
        regression: LogisticStart,
        step: TrainingStep,
        streams: RandomStreams,
        processes: Processes,
        state: TrainingState,
        *,
        batch: Callable[[list[int]], Batch],
        evaluate: Callable[[], Mapping[str, float]],
    ) -> None:
        self.regression = regression
        self._step = step
        self._streams = streams
        self._processes = processes
        self._state = state
        self._batch = batch
        self._evaluate = evaluate
        self._tried: TriedStart | None = None

    @property
    def reads_before_steps(self) -> bool:
        """Whether the regression is found of what is read for it alone, before the first step."""
        return self.regression.when == "before"

    def tried(self, go_on: Callable[[], None] = lambda: None) -> TriedStart:
        """Where the head may start and what it is worth there, found once; the head is as before behind that.

        `go_on` is asked before each batch that is read for it, and may raise.
        """
        if self._tried is None:
            self._tried = self._try(go_on)
        return self._tried

    def begin(self, progress: Progress, display: Display, go_on: Callable[[], None]) -> Progress:
        """Put the head where it starts. What counts as the measure before training is that of the head as it is made.

        A run that is resumed has that measure, and its head is further.
        """
        if progress.before:
            return progress
        known, tried = self._tried, self.tried(go_on)
        if tried.is_kept:
            if known is None:
                verb = "is" if tried.ends_the_run else "begins as"
                display.note(f"the head {verb} a logistic regression: {tried}")
            self.regression.begin(tried.found)
        return replace(
            progress,
            before=tried.before,
            begun_at=tried.loss if tried.is_kept else None,
            elapsed_s=progress.elapsed_s + tried.finding_s,
        )

    def why_no_step(self, progress: Progress) -> str | None:
        """What ends a run whose head is a regression in place of steps."""
        if not self._is_settled(progress):
            return None
        return "a logistic regression is found, and steps behind it hardly ever lower the held-out loss"

    def end(self, progress: Progress, stopped: str, display: Display) -> str:
        """Behind the last step, with the best weights in place: the regression if no step is better. Says so."""
        begun_at, best = progress.begun_at, progress.best_loss
        if best is None:
            return stopped
        if begun_at is not None and not self._is_settled(progress):
            if best < begun_at:
                return f"{stopped}; the head began as a logistic regression, with a held-out loss of {begun_at:.3f}"
            return f"{stopped}; no step lowered the held-out loss of the regression that the head began as"
        if self.regression.when != "after":
            return stopped
        tried = self.tried()
        if not tried.loss < best:
            return stopped
        self.regression.begin(tried.found)
        display.note(f"the head is a logistic regression: held-out loss {tried.loss:.3f}, and {best:.3f} by steps")
        return f"{stopped}; a logistic regression has a lower held-out loss than steps have found"

    def seconds(
        self, n_tokens: Callable[[list[int]], int], seconds_of: Callable[[Callable[[], object]], float]
    ) -> float:
        """Seconds that reading takes for a regression that steps follow, by a batch of middle length; else 0."""
        if not self.reads_before_steps:
            return 0.0
        batches = self.regression.batches
        middle = batches[len(batches) // 2]
        with torch.no_grad():
            seconds = seconds_of(lambda: self._step.states(self._batch(middle)))
        return seconds * sum(map(n_tokens, batches)) / n_tokens(middle)

    def _is_settled(self, progress: Progress) -> bool:
        return self.regression.when == "instead" and progress.begun_at is not None

    def _try(self, go_on: Callable[[], None]) -> TriedStart:
        began = time.perf_counter()
        before = self._evaluate()
        evaluated = time.perf_counter()
        with self._streams.forked(), torch.no_grad(), without_dropout(self._step):
            fitted = self.regression.fitted(self._with_states(go_on))
        found = self._processes.from_main(fitted)
        fitted_at = time.perf_counter()
        self.regression.begin(found)
        loss = self._evaluate()["loss"]
        self._state.use_best()
        finding_s = fitted_at - evaluated
        evaluating_s = time.perf_counter() - began - finding_s
        return TriedStart(found, before, loss, self.regression.when, finding_s, evaluating_s)

    def _with_states(self, go_on: Callable[[], None]) -> Iterator[tuple[Tensor, Batch]]:
        for rows in self.regression.batches:
            go_on()
            batch = self._batch(rows)
            yield self._step.states(batch), batch
