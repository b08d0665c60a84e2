"""How a table of labelled data is to be read, where its own words do not say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adaptkit.data.tasks.examples import TaskData, TaskType
from adaptkit.data.tasks.labelled import LabelledSource, read_labelled


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """The options of `read_labelled` that training and evaluation take too; their meaning stands there."""

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    nli: bool | None = None
    score_range: tuple[float, float] = (0.0, 1.0)
    quoted: bool | None = None

    def read(
        self, source: LabelledSource, *, task_type: TaskType | None = None, language: str | None = None
    ) -> TaskData:
        """Read labelled data so.

        Raises:
            DataError: Data that is not there or malformed.
            ConfigError: Options that cannot be right.
        """
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
