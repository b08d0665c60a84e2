"""A run in which nothing is trained: what was learned of a text is measured, without it and with it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from adaptkit.errors import ConfigError
from adaptkit.objectives.alignment import ALIGNMENT
from adaptkit.terminal.interrupt import InterruptFlag
from adaptkit.training.display import Display
from adaptkit.training.loop import TrainingRun
from adaptkit.training.objectives.alignment import GlossDistance


class AlignmentRun(TrainingRun):
    """As every run, but that held-out sentences are read as they are at first, and with their glosses at the end.

    Raises:
        ConfigError: The objective has no sentences with glosses.
    """

    takes_steps: ClassVar[bool] = False

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - as of every run
        super().__init__(*given, **named)
        objective = self._step.trained["objective"]
        if not isinstance(objective, GlossDistance):
            raise ConfigError("a glossary is measured by the distance of texts with glosses from their translations.")
        self._glossed = objective.glossed
        self._progress = replace(self._progress, elapsed_s=objective.learned_in_s)

    def measure_step(self, rows: list[int]) -> float:  # noqa: ARG002 - as of every run
        """None: what there is to learn is learned before."""
        return 0.0

    def _train(self, display: Display, interrupted: InterruptFlag) -> str:  # noqa: ARG002 - as of every run
        self._judge(display)
        self._data = self._glossed
        self._judge(display)
        return "learned from the text before the first step"

    def _show_heldout(self, display: Display, measures: Mapping[str, float], scores: Mapping[str, float]) -> None:  # noqa: ARG002
        if self._data is self._glossed:
            before, after = self._progress.before["loss"], measures["loss"]
            display.note(f"held-out {ALIGNMENT.heldout}: {before:.3f} without the glossary, {after:.3f} with it")
