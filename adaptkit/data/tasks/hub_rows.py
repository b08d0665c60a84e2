"""A benchmark from the hub's parquet files, streamed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.sources import DataSet, check_hub, load_from_hub
from adaptkit.data.tasks.folders import rows_in
from adaptkit.data.tasks.patterns import named_languages
from adaptkit.data.tasks.specs import HubLayout
from adaptkit.errors import SourceNotFound


@dataclass(frozen=True)
class HubRows:
    """The rows of one language on the hub, and what the numbers in them stand for."""

    name: str
    data_set: DataSet
    layout: HubLayout

    def rows(self, language: str) -> Iterator[tuple[int, Row]]:
        """Yield the numbered rows in one language."""
        return rows_in(self.name, enumerate(self.data_set, start=1), self.layout.language_column, language)


def open_hub(layout: HubLayout, language: str, split: str, *, config: str | None = None) -> HubRows:
    """Find the configuration of a language, and stream a split of it.

    Raises:
        SourceNotFound: no hub answers, or it has no such data set, language or split.

    """
    config = config or _config_of(layout, language)
    name = f"{layout.name}:{config}"
    stream = load_from_hub(layout.name, config, split=layout.splits.get(split, split), revision=layout.revision)
    return HubRows(name, stream, layout)


def hub_languages(layout: HubLayout) -> Mapping[str, str]:
    """Give the configuration of each language on the hub.

    Raises:
        SourceNotFound: no hub answers, or it has no such data set.

    """
    check_hub(layout.name)
    import datasets

    try:
        names = datasets.get_dataset_config_names(layout.name, revision=layout.revision)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise SourceNotFound(f"the hub gave no data set {layout.name} ({type(error).__name__}: {reason}).") from error
    return named_languages(layout.config, names)


def class_names(data_set: DataSet, column: str) -> tuple[str, ...]:
    """Give the names that a data set keeps for the numbers in a column; none where it keeps none."""
    feature = (data_set.features or {}).get(column)
    inner = getattr(feature, "feature", feature)  # a list of classes
    return tuple(getattr(inner, "names", None) or ())


def mirrored(layout: HubLayout, name: str) -> HubLayout:
    """Take the same data from another owner."""
    return replace(layout, name=name)


def local_folder(data: str | Path | None) -> Path | None:
    """Give the folder that `data` names; None for the hub.

    Raises:
        SourceNotFound: it is a file.

    """
    if data is None:
        return None
    folder = Path(data).expanduser()
    if folder.is_file():
        raise SourceNotFound(f"{folder} is a file; for a benchmark name its folder (a file of yours: read_labelled).")
    return folder if folder.is_dir() else None


def _config_of(layout: HubLayout, language: str) -> str:
    if "{code}" not in layout.config:
        return layout.config
    configs = hub_languages(layout)
    if language not in configs:
        raise SourceNotFound(f"{layout.name} has no {language} on the hub; it has {', '.join(sorted(configs))}.")
    return configs[language]
