"""When a run's checkpoint is written, and what follows where it cannot be."""

import time
from pathlib import Path

from adaptkit.errors import CallbackFailed, ConfigError, TrainingInterrupted
from adaptkit.terminal.asking import as_typed
from adaptkit.training.checkpoint import CheckpointFolder
from adaptkit.training.display import Display
from adaptkit.training.processes import Processes
from adaptkit.training.progress import Progress
from adaptkit.training.randomness import RandomStreams
from adaptkit.training.settings import TrainingSettings
from adaptkit.training.state import TrainingState


class CheckpointKeeper:
    """Keeps a run's checkpoints in a folder, if it has one: the main process reads and writes, all have what it read.

    A checkpoint that cannot be written does not end the run; the next one is tried at its time.
    """

    def __init__(
        self,
        folder: CheckpointFolder | None,
        state: TrainingState,
        streams: RandomStreams,
        processes: Processes,
        settings: TrainingSettings,
    ) -> None:
        self.folder = folder
        self._state = state
        self._streams = streams
        self._processes = processes
        self._settings = settings
        self._tried_at = time.monotonic()

    def is_due(self, step: int) -> bool:
        """Whether it is time for a checkpoint after so many steps; the main process's clock counts."""
        if self.folder is None or not self._processes.is_main:
            return False
        late = time.monotonic() - self._tried_at >= 60 * self._settings.checkpoint_minutes
        return late or step % self._settings.checkpoint_every == 0

    def resumed(self) -> Progress | None:
        """Restore the checkpoint and say where it stands; None where there is none.

        Raises:
            CheckpointError: It is another run's, or damaged.
            ProcessFailed: It is so for another process.
        """
        stored, folder = None, self.folder
        if folder is None:
            return None
        with self._processes.together():
            if self._processes.is_main and folder.exists():
                stored = folder.read()
        stored = self._processes.from_main(stored)
        if stored is None:
            return None
        with self._processes.together():
            return folder.load(stored, self._state, self._streams)

    def save(self, progress: Progress, display: Display) -> str | None:
        """Write the checkpoint; all processes wait for it. Where that fails, say why and return it."""
        if self.folder is None:
            return None
        states, failure = self._streams.states(), None
        if self._processes.is_main:
            try:
                self.folder.save(progress, self._state, states)
            except (ConfigError, OSError) as error:  # a file of others in its folder, a full disk, no permission
                failure = str(error)
        failure = self._processes.from_main(failure)
        if failure is not None:
            display.note(
                f"no checkpoint at step {progress.step:,}: {failure} {self.last()} The run goes on, and tries again."
            )
        self._tried_at = time.monotonic()
        return failure

    def last(self) -> str:
        """Where the last checkpoint is, in a sentence."""
        step = None if self.folder is None else self.folder.step()
        if self.folder is None or step is None:
            return "There is no checkpoint."
        return f"The last checkpoint, of step {step:,}, is in {self.folder.path}."

    def interruption(self, stopped_at: str, failure: str | None, signal_number: int) -> TrainingInterrupted:
        """What a run that was stopped ends with; `failure` says why its checkpoint could not be written."""
        return TrainingInterrupted(*self._kept(stopped_at, failure), signal_number)

    def failed_callback(self, stopped_at: str, failure: str | None) -> CallbackFailed:
        """The same where the caller's own function stopped it."""
        return CallbackFailed(*self._kept(stopped_at, failure))

    def _kept(self, stopped_at: str, failure: str | None) -> tuple[str, Path | None]:
        folder = self.folder
        if folder is None:
            said, path = f"{stopped_at}; nothing was kept, because no output folder was given.", None
        elif failure is not None:
            path = None if folder.step() is None else folder.path
            again = f" Run the same again with {as_typed(resume=True)}." if path else ""
            said = f"{stopped_at}; its checkpoint could not be kept: {failure} {self.last()}{again}"
        else:
            path = folder.path
            said = f"{stopped_at}; the checkpoint is in {path}. Run the same again with {as_typed(resume=True)}."
        return said, path

    def forget(self) -> None:
        """Delete the checkpoint."""
        if self.folder is not None and self._processes.is_main:
            self.folder.remove()
        self._processes.meet()
