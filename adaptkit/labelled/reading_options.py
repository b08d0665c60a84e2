"""How a table of labelled data is to be read, where its own words do not say it."""

from collections.abc import Mapping
from dataclasses import dataclass

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.labelled.read import LabelledSource, read_labelled
from adaptkit.labelled.spelling import checked_data
from adaptkit.options import Options, Shell, option


def columns_of(given: list[str]) -> dict[str, str]:
    """Columns by their role, from ROLE=NAME.

    Raises:
        ConfigError: One that is not written so.
    """
    pairs = [value.partition("=") for value in given]
    wrong = [value for value, (role, _, name) in zip(given, pairs, strict=True) if not (role and name)]
    if wrong:
        raise ConfigError(f"--columns is written ROLE=NAME, such as pair=sentence2, found {wrong[0]!r:.80}.")
    return {role: name for role, _, name in pairs}


@dataclass(frozen=True, kw_only=True)
class ReadingOptions(Options):
    """The options of `read_labelled` that training and evaluation take too; their meaning stands there."""

    columns: Mapping[str, str] = option(
        dict,
        "column of each role, where its name is not recognised",
        shell=Shell(
            list[str],
            "ROLE=NAME, where a column's name is not recognised, such as pair=sentence2; may be repeated",
            metavar="<role=name>",
            read=columns_of,
        ),
    )
    labels: tuple[str, ...] = option(
        (),
        "the labels in their order; no other may occur (default: those that do)",
        shell=Shell(
            list[str],
            "a label; repeat for each, in their order; any other is an error (default: the labels in the data)",
            metavar="<label>",
        ),
    )
    nli: bool | None = option(
        None, "labels are those of inference (NLI), also as numbers (default: decided by the labels)"
    )
    score_range: tuple[float, float] = option((0.0, 1.0), "lowest and highest score of similarity or regression")
    quoted: bool | None = option(
        None, "cells of a TSV are quoted as in CSV (default: no; cells that look quoted are counted)"
    )

    def read(
        self, source: "LabelledSource | TaskData", *, task_type: str | None = None, language: str | None = None
    ) -> TaskData:
        """Read labelled data so; a `TaskData` is read already, and is checked only.

        Raises:
            DataError: Data that is not there or malformed.
            ConfigError: Options that cannot be right, or that come too late for what is read already.
        """
        if isinstance(source, TaskData):
            return self._checked(source, task_type)
        return read_labelled(
            source,
            task_type=task_type,
            language=language,
            columns=self.columns,
            labels=self.labels,
            nli=self.nli,
            score_range=self.score_range,
            quoted=self.quoted,
        )

    def _checked(self, data: TaskData, task_type: str | None) -> TaskData:
        if self != ReadingOptions():
            raise ConfigError(
                f"{data.description} is read already, so columns, labels, nli, score_range and quoted come too late. "
                "Give them to read_labelled, or give the file itself."
            )
        if task_type not in (None, data.task_type):
            raise ConfigError(f"{data.description} holds examples of {data.task_type}, and task_type is {task_type!r}.")
        return checked_data(data)
