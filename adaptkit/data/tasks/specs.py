"""What is known of a benchmark: its task, its labels, and where its publishers put the files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from adaptkit.data.rows import NumberedRows
from adaptkit.data.tasks.labelled_row import Columns


@dataclass(frozen=True, kw_only=True)
class FileLayout:
    """Files in a folder.

    Attributes:
        path: relative to the folder, with `{split}`, `{code}` for the language where each has a file, and `{other}`
            for the language of the question where it is another one. Also found with `.gz`.
        read: gives the rows of a file.
        columns: the column of each role.
        language_column: where one file holds all languages, the column that names the row's; what follows a
            hyphen in it is ignored.
        groups: a file beside, with the columns row (from 0), genre and label, that gives each example its group.
        splits: how the layout calls a split, where it is not `dev` and `test`.

    """

    path: str
    read: Callable[[Path], NumberedRows]
    columns: Columns
    language_column: str = ""
    groups: str = ""
    splits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def path_for(self, split: str) -> str:
        """Fill in the split as the layout calls it."""
        return self.path.replace("{split}", self.splits.get(split, split))


@dataclass(frozen=True, kw_only=True)
class HubLayout:
    """A data set on the hub.

    Attributes:
        name: `owner/name`.
        config: its configurations, with `{code}` and `{other}` as in a file layout.
        columns: the column of each role.
        language_column: as in a file layout.
        splits: how it calls a split, where it is not the same word.
        revision: the branch with parquet files, where the main one has only a loading script.

    """

    name: str
    config: str
    columns: Columns
    language_column: str = ""
    splits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"dev": "validation"}))
    revision: str | None = None


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """A named benchmark.

    Attributes:
        name: as in `read_task(name, ...)`.
        task_type: of its examples.
        labels: in their order, which is also that of the numbers on the hub; empty where the type has none.
        metrics: names of the scores that are reported for it (as `adaptkit.scores` calls them), the main one first.
        folders: names of its folder within a folder of benchmarks.
        layouts: of its files, tried in order.
        hub: the data set with the same examples.
        nli: the labels are those of NLI, in any spelling.
        pairs: the language may be a pair such as `de-es`: context in German, question in Spanish.

    """

    name: str
    task_type: str
    labels: tuple[str, ...] = ()
    metrics: tuple[str, ...]
    folders: tuple[str, ...]
    layouts: tuple[FileLayout, ...]
    hub: HubLayout
    nli: bool = False
    pairs: bool = False
