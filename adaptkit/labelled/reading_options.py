"""How a table of labelled data is to be read, where its own words do not say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.labelled.read import LabelledSource, read_labelled
from adaptkit.labelled.spelling import checked_data


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """The options of `read_labelled` that training and evaluation take too; their meaning stands there."""

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    nli: bool | None = None
    score_range: tuple[float, float] = (0.0, 1.0)
    quoted: bool | None = None

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
