"""What a training writes."""

import os
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import TypeAlias

from adaptkit.errors import ConfigError
from adaptkit.options import Options, Shell, option
from adaptkit.terminal.asking import as_typed, option_name
from adaptkit.terminal.plain_text import is_one_line

PathOrName: TypeAlias = str | os.PathLike[str]

_NEEDS_FOLDER = ("overwrite", "checkpoint_every", "checkpoint_minutes")


def checkpoint_folder(output: Path) -> Path:
    """Where the checkpoints of a run with this output lie: beside it."""
    return output.with_name(f"{output.name}.checkpoint")


@dataclass(frozen=True)
class Output(Options):
    """Where an adapter and the checkpoints of its training are written, and what its card says of the text.

    Without a folder nothing is written, and the adapter is only returned.

    Raises:
        ConfigError: Options that need a folder without one, or that contradict each other.
    """

    folder: PathOrName | None = option(
        None,
        "folder for the adapter; checkpoints lie beside it",
        asked_as="output",
        recorded=False,
        shell=Shell(Path, read=Path),
    )
    _: KW_ONLY
    overwrite: bool = option(False, "replace an adapter that is in the output folder", recorded=False)
    resume: bool = option(False, "continue from the checkpoint beside the output folder", recorded=False)
    resume_or_start: bool = option(
        False,
        "continue from the checkpoint if there is one, else start: for a job that may be restarted",
        recorded=False,
    )
    checkpoint_every: int = option(200, "steps between two checkpoints", least=1, recorded=False)
    checkpoint_minutes: float = option(
        10.0, "write a checkpoint at least every so many minutes", above=0, recorded=False
    )
    private: bool = option(False, "keep file names out of the card", recorded=False)
    licence: str = option("not stated", "licence of the text, for the card; in a mix, of sources that state none")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_one_line(self.licence):
            raise ConfigError(f"{as_typed(licence=self.licence)} is not one line; give the licence's name.")
        if self.resumes and self.folder is None:
            raise ConfigError(
                f"{option_name('resume')} needs the output folder of the run to resume; give {as_typed(output=...)}."
            )
        if self.resume and self.resume_or_start:
            raise ConfigError(
                f"{as_typed(resume=True)} and {as_typed(resume_or_start=True)} are both given; give one of them."
            )
        self._check_folder()

    @property
    def resumes(self) -> bool:
        """Whether the run goes on from a checkpoint, if there is one."""
        return self.resume or self.resume_or_start

    @property
    def path(self) -> Path | None:
        """The folder for the adapter."""
        return None if self.folder is None else Path(self.folder)

    def _check_folder(self) -> None:
        """Options of what is written go with an output folder."""
        defaults = {entry.name: entry.default for entry in fields(self)}
        given = [name for name in _NEEDS_FOLDER if vars(self)[name] != defaults[name]]
        if self.folder is None and given:
            verb, them = ("needs", "it") if len(given) == 1 else ("need", "them")
            raise ConfigError(
                f"{', '.join(map(option_name, given))} {verb} an output folder, and without one nothing is written: "
                f"give {as_typed(output=...)}, or leave {them} out."
            )
