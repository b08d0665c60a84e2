"""The log of a run: a line of JSON for each report, in a file beside its checkpoint."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.format.folder import whole_file
from adaptkit.requests import TrainingReport
from adaptkit.training.progress import Progress

_LONGEST_LINE = 2**16


class TrainingLog:
    """A file of JSON lines. A line is written whole or not at all, also where the run is killed."""

    name = "the log"

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, progress: Progress) -> None:
        """Begin the file anew; of a run that is resumed, keep the lines up to there, and no others.

        Raises:
            CannotWrite: As on a full disk.
            ConfigError: The file is no log of a training.
        """
        require_log(self._path)
        kept = [line for line in _lines(self._path) if _is_before(line, progress)]
        with whole_file(self._path) as partial:
            partial.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="ascii")

    def since(self, first_step: int) -> Iterator[tuple[int, Mapping[str, object]]]:
        """The steps of the lines from there on, each with its numbers; none where there is no file."""
        for line in _lines(self._path):
            step = line.pop("step")
            assert isinstance(step, int)  # noqa: S101 - as it was parsed
            if step >= first_step:
                yield step, line

    def take(self, report: TrainingReport) -> None:
        """Add a line.

        Raises:
            OSError: It cannot be written, as on a full disk; no part of it stays.
        """
        line = f"{json.dumps({'step': report.step, **report.numbers()})}\n".encode("ascii")
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            before = os.fstat(descriptor).st_size
            if os.write(descriptor, line) < len(line):
                os.truncate(descriptor, before)
                raise OSError(f"no room for a line in {self._path}")
        finally:
            os.close(descriptor)

    def end(self) -> None:
        """Nothing: every line is in the file already."""


def require_log(path: Path) -> None:
    """See that a file that is there is the log of a training, which may be written over.

    Raises:
        ConfigError: It is something else.
    """
    if not path.exists() and not path.is_symlink():
        return
    try:
        is_log = path.is_file() and not path.is_symlink() and (path.stat().st_size == 0 or _first(path) is not None)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}), and the log of the training goes there."
        ) from error
    if not is_log:
        raise ConfigError(
            f"{path} is there and is no log of a training, which would be written there; nothing was trained. Move it, "
            "or give another output folder."
        )


def _first(path: Path) -> object:
    with path.open("rb") as file:
        return _parsed(file.readline(_LONGEST_LINE))


def _lines(path: Path) -> Iterator[dict[str, object]]:
    """The whole lines of a file; a kill of the system may have left a part of one."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            if (found := _parsed(line)) is not None:
                yield found


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and type(found.get("step")) is int else None


def _is_before(line: dict[str, object], progress: Progress) -> bool:
    """Whether a line is of what a run has behind it that stands here, and does not do again."""
    step = line["step"]
    assert isinstance(step, int)  # noqa: S101 - as it was parsed
    is_judged = progress.judged_step == progress.step
    if progress.step == 0 and not is_judged:
        return False
    return step < progress.step or (step == progress.step and (is_judged or line.get("heldout_loss") is None))
