"""How a training plan runs."""

import re
from dataclasses import dataclass
from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.options import Options, Shell, option
from adaptkit.requests.output import PathOrName
from adaptkit.terminal.asking import as_typed, option_name

_PART = re.compile(r"(\d{1,6})/(\d{1,6})")


def _part(written: str) -> tuple[int, int]:
    """`2/4`, as a shell writes it."""
    found = _PART.fullmatch(written)
    if found is None:
        raise ConfigError(f"{option_name('part')} takes a number and a count, such as 2/4, found {written!r:.40}.")
    return int(found[1]), int(found[2])


@dataclass(frozen=True, kw_only=True)
class Planning(Options):
    """How many trainings of a plan run at a time, which of them, and where its summary goes.

    Raises:
        ConfigError: A value that cannot be right.
    """

    processes: int | None = option(
        None, "trainings at the same time (default: one per GPU; on a CPU one, with all cores)", least=1, most=1024
    )
    only: tuple[str, ...] = option(
        (),
        "train this adapter alone, such as language/sw",
        shell=Shell(list[str], "train this adapter alone, such as language/sw; may be repeated", metavar="<id>"),
    )
    part: tuple[int, int] | None = option(
        None,
        "one of several parts of the plan, for several machines: its number, from 1, and their count",
        shell=Shell(
            str,
            "one of several parts of the plan, for several machines: 2/4 is the second of four",
            metavar="<number/count>",
            read=_part,
        ),
    )
    summary: PathOrName | None = option(
        None,
        "folder for the summary, the logs, and what resuming needs (default: beside the plan, languages.summary)",
        shell=Shell(Path, metavar="<folder>", read=Path),
    )
    overwrite: bool = option(False, "train again what was trained with other options, and replace it")
    progress: bool = option(True, "show costs and progress")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.part is not None and not 1 <= self.part[0] <= self.part[1]:
            number, count = self.part
            raise ConfigError(f"{as_typed(part=f'{number}/{count}')} is no part; parts of {count} are 1 to {count}.")
        if self.part is not None and self.only:
            raise ConfigError(f"{option_name('part')} and {option_name('only')} are both given; give one of them.")

    def folder_for(self, plan: Path) -> Path:
        """Where the summary of a plan goes."""
        return plan.with_name(f"{plan.stem}.summary") if self.summary is None else Path(self.summary)
