"""Experiment trackers that a run reports to, as accelerate has them: TensorBoard, Weights & Biases, MLflow and others.

accelerate is asked for its trackers only where one is wanted.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adaptkit.errors import ConfigError
from adaptkit.options import Recorded
from adaptkit.requests import AskedTracker, TrainingReport
from adaptkit.terminal.asking import as_typed
from adaptkit.training.progress import Progress
from adaptkit.training.training_log import TrainingLog
from adaptkit.version import install_command

PROJECT = "adaptkit"
_NAME_OF_THE_RUN = {"wandb": "name", "trackio": "name", "mlflow": "run_name"}
"""What a tracker's own library calls the name of one run, where accelerate passes it on."""
_PACKAGES = {"comet_ml": "comet-ml"}


class TrackedRun:
    """A run in one tracker. `settings` are its hyperparameters there.

    `folder` is for trackers that write files, and `log` is that of the run, which is begun before its trackers.
    """

    def __init__(
        self,
        asked: AskedTracker,
        run_name: str,
        settings: Mapping[str, Recorded],
        folder: Path | None,
        log: TrainingLog | None = None,
    ) -> None:
        self._asked = asked
        self.name = asked if isinstance(asked, str) else str(getattr(asked, "name", type(asked).__name__))
        self._run_name = run_name
        self._settings = {name: value for name, value in settings.items() if value is not None}
        self._folder = folder
        self._log = log
        self._tracker: Any = None

    def begin(self, progress: Progress) -> None:
        """Start the tracker, and tell it what is trained.

        Raises:
            ConfigError: It does not start, such as where nobody is logged in.
        """
        try:
            self._tracker = self._made(progress)
            self._tracker.start()
            self._tracker.store_init_configuration(self._settings)
            if self.name == "tensorboard":
                self._take_again(_purged_from(progress))
        except Exception as error:  # whatever the libraries raise
            raise ConfigError(
                f"{self.name} does not start: {type(error).__name__}: {error}. Nothing was trained. See to it, or "
                f"leave {as_typed(log_with=self.name)} out."
            ) from error

    def take(self, report: TrainingReport) -> None:
        """Log the numbers of a report under its step."""
        self._take_numbers(report.step, report.numbers())

    def end(self) -> None:
        """Let the tracker write what it still has."""
        if self._tracker is not None:
            self._tracker.finish()

    def _take_numbers(self, step: int, numbers: Mapping[str, object]) -> None:
        self._tracker.log({name: value for name, value in numbers.items() if value is not None}, step=step)

    def _take_again(self, first_step: int) -> None:
        """Log what the run's log keeps of this step and later ones, which the tracker has just purged."""
        for step, numbers in () if self._log is None else self._log.since(first_step):
            self._take_numbers(step, numbers)

    def _made(self, progress: Progress) -> Any:  # noqa: ANN401 - accelerate has no types
        if not isinstance(self._asked, str):
            return self._asked
        kind, name = _classes()[self._asked], self._asked
        if not kind.requires_logging_directory:
            named = {_NAME_OF_THE_RUN[name]: self._run_name} if name in _NAME_OF_THE_RUN else {}
            return kind(PROJECT, **named)
        purged = {"purge_step": _purged_from(progress)} if name == "tensorboard" else {}
        return kind(name, logging_dir=str(self._folder), **purged)


def _purged_from(progress: Progress) -> int:
    """The first step of which TensorBoard is to forget what a killed run wrote, as the resumed run does it again.

    A checkpoint is written before the evaluation of its step: that may have been logged, and is taken again.
    """
    return progress.step + 1 if progress.judged_step == progress.step else progress.step


def require_trackers(asked: Sequence[AskedTracker], folder: Path | None) -> None:
    """See before any work that there are these trackers, and a folder for those that write files.

    Raises:
        ConfigError: No such tracker, its package is not installed, or it needs an output folder.
    """
    for each in asked:
        if isinstance(each, str):
            _require_named(each, folder)
        else:
            _require_tracker(each)


def _require_named(name: str, folder: Path | None) -> None:
    from accelerate.tracking import get_available_trackers

    classes = _classes()
    if name not in classes:
        raise ConfigError(
            f"{as_typed(log_with=name)} names no tracker; accelerate knows {', '.join(classes)}. One of your own is an "
            "accelerate.tracking.GeneralTracker: Run(log_with=[tracker])."
        )
    if name not in map(str, get_available_trackers()):
        package = _PACKAGES.get(name, name)
        command = f" Run: {install_command(name)}" if name == "tensorboard" else " Install it first."
        raise ConfigError(f"{as_typed(log_with=name)} needs the package {package}, which is not here.{command}")
    if classes[name].requires_logging_directory and folder is None:
        raise ConfigError(
            f"{as_typed(log_with=name)} writes files beside the output folder, and there is none: give "
            f"{as_typed(output=...)}."
        )


def _require_tracker(given: object) -> None:
    from accelerate.tracking import GeneralTracker

    if isinstance(given, type) or not isinstance(given, GeneralTracker):
        raise ConfigError(
            f"log_with names trackers, or has objects of accelerate.tracking.GeneralTracker, found {given!r:.80}."
        )


def _classes() -> Mapping[str, Any]:
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    return {str(name): kind for name, kind in LOGGER_TYPE_TO_CLASS.items()}
