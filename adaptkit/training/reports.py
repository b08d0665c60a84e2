"""Where a run reports to besides its display: its log, trackers, and a function of the caller's own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch

from adaptkit.backbones.hardware import assumed_watts, peak_memory_bytes
from adaptkit.requests import TrainingReport
from adaptkit.training.display import Display
from adaptkit.training.progress import Progress
from adaptkit.training.settings import TrainingSettings

Callback = Callable[[TrainingReport], object]


def report_of(
    progress: Progress,
    settings: TrainingSettings,
    device: torch.device,
    *,
    loss: float | None,
    heldout: Mapping[str, float],
    scores: Mapping[str, float],
) -> TrainingReport:
    """What there is to report of a run that stands here."""
    watts = assumed_watts(device)
    return TrainingReport(
        step=progress.step,
        total_steps=settings.max_steps,
        tokens=progress.tokens,
        elapsed_s=progress.elapsed_s,
        learning_rate=settings.rate_at(max(0, progress.step - 1)),
        peak_memory_bytes=peak_memory_bytes(device),
        energy_wh=None if watts is None else watts * progress.elapsed_s / 3600,
        loss=loss,
        heldout=dict(heldout),
        scores=dict(scores),
    )


class Recorder(Protocol):
    """What keeps the reports of a run."""

    @property
    def name(self) -> str:
        """For messages."""

    def begin(self, progress: Progress) -> None:
        """The run starts, or is resumed where it stands."""

    def take(self, report: TrainingReport) -> None:
        """Keep a report."""

    def end(self) -> None:
        """The run is over, however it ended."""


class Reports:
    """Hands each report to all of them, the callback last; asked by the main process alone.

    What cannot keep a report, as on a full disk or without a network, is left out from then on; the run goes on.
    """

    def __init__(self, recorders: Sequence[Recorder] = (), callback: Callback | None = None) -> None:
        self._recorders = list(recorders)
        self._callback = callback

    def begin(self, progress: Progress) -> None:
        """Let them begin.

        Raises:
            CannotWrite: The log cannot be written.
            ConfigError: A tracker does not start.
        """
        for recorder in self._recorders:
            recorder.begin(progress)

    def take(self, report: TrainingReport, display: Display) -> Exception | None:
        """Hand a report on; gives what the callback raised."""
        for recorder in list(self._recorders):
            try:
                recorder.take(report)
            except Exception as error:
                self._recorders.remove(recorder)
                display.note(
                    f"{recorder.name} takes no reports any more: {type(error).__name__}: {error}. The run goes on."
                )
        try:
            if self._callback is not None:
                self._callback(report)
        except Exception as error:
            return error
        return None

    def end(self, display: Display) -> None:
        """Let them finish."""
        for recorder in self._recorders:
            try:
                recorder.end()
            except Exception as error:
                display.note(f"{recorder.name} did not finish: {type(error).__name__}: {error}")
