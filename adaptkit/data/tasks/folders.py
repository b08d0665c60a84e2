"""The files of a benchmark in a folder of the publisher's layout."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adaptkit.data.columns import Row
from adaptkit.data.packed import PACKED_SUFFIXES
from adaptkit.data.rows import NumberedRows, read_tsv
from adaptkit.data.tasks.labelled_row import Columns, LabelledRow
from adaptkit.data.tasks.patterns import named_languages
from adaptkit.data.tasks.specs import FileLayout, TaskSpec
from adaptkit.errors import ConfigError, MalformedText

SPLIT_NAME = re.compile(r"[\w-]+", re.ASCII)
GROUP_COLUMN = "genre"


@dataclass(frozen=True)
class FoundFile:
    """A file with the examples of one language (and perhaps of others)."""

    path: Path
    layout: FileLayout
    split: str

    def rows(self, language: str) -> Iterator[tuple[int, Row, Columns]]:
        """Yield the rows in one language, each with the columns of its roles."""
        rows = rows_in(self.path, self.layout.read(self.path), self.layout.language_column, language)
        groups = self._groups()
        if groups is None:
            return ((number, row, self.layout.columns) for number, row in rows)
        return _with_groups(self.path, rows, self.layout.columns, groups)

    def _groups(self) -> Path | None:
        if not self.layout.groups:
            return None
        name = self.layout.groups.replace("{split}", self.split)
        beside = [self.path.parent / f"{name}{packed}" for packed in ("", *PACKED_SUFFIXES)]
        return next((path for path in beside if path.is_file()), None)


def find_files(spec: TaskSpec, folder: Path, split: str) -> Mapping[str, FoundFile]:
    """Find the file of each language, by canonical tag (`de-es` for a pair), for one split.

    `folder` is the benchmark's own, or holds it. An earlier layout goes before a later one.

    Raises:
        ConfigError: the name of the split is none.

    """
    if not SPLIT_NAME.fullmatch(split):
        raise ConfigError(f"{split!r:.40} is not the name of a split; give train, dev or test.")
    found: dict[str, FoundFile] = {}
    for root in _roots(spec, folder):
        for layout in spec.layouts:
            for language, path in _languages_in(root, layout, split):
                found.setdefault(language, FoundFile(path, layout, split))
    return found


def rows_in(file: str | Path, rows: NumberedRows, column: str, language: str) -> NumberedRows:
    """Keep the rows whose column names a language; all of them without a column."""
    if not column:
        return rows
    return ((number, row) for number, row in rows if row_language(file, number, row, column) == language)


def row_language(file: str | Path, number: int, row: Row, column: str) -> str | None:
    """Give the canonical tag that stands in a column, up to a hyphen (TyDiQA's ids: `swahili-123-1`)."""
    cells = {column: value.partition("-")[0] if isinstance(value := row.get(column), str) else value}
    return LabelledRow(file, number, cells, {"language": column}).language()


def expected_names(spec: TaskSpec, split: str, language: str) -> str:
    """Name the files that would be right, for a message."""
    context, _, question = language.partition("-") if spec.pairs else (language, "", "")
    names = (
        layout.path_for(split).replace("{code}", context).replace("{other}", question or context)
        for layout in spec.layouts
    )
    return f"{' or '.join(names)} (also .gz, .xz, .bz2 or .zst)"


def _roots(spec: TaskSpec, folder: Path) -> list[Path]:
    inner = [folder / name for name in spec.folders if (folder / name).is_dir()]
    return inner or [folder]


def _languages_in(root: Path, layout: FileLayout, split: str) -> Iterator[tuple[str, Path]]:
    pattern = layout.path_for(split)
    if pattern == layout.path and "{split}" not in layout.path and split != "test":
        return  # a benchmark with one set of examples
    glob = pattern.replace("{code}", "*").replace("{other}", "*")
    paths = [path for packed in ("", *PACKED_SUFFIXES) for path in root.glob(f"{glob}{packed}") if path.is_file()]
    if not layout.language_column:
        names = named_languages(pattern, (path.relative_to(root).as_posix() for path in paths))
        yield from ((language, root / name) for language, name in names.items())
    elif paths:
        numbered = layout.read(paths[0])
        found = {row_language(paths[0], number, row, layout.language_column) for number, row in numbered}
        yield from ((language, paths[0]) for language in sorted(found - {None}, key=str) if language)


def _with_groups(path: Path, rows: NumberedRows, columns: Columns, groups: Path) -> Iterator[tuple[int, Row, Columns]]:
    """Put the group of the file beside to each row, and check that both agree on the label."""
    group_of = {str(row.get("row")): (number, row) for number, row in read_tsv(groups)}
    for index, (number, row) in enumerate(rows):
        if str(index) not in group_of:
            raise MalformedText(groups, len(group_of) + 1, f"no row {index}", f"one for line {number} of {path.name}")
        line, beside = group_of[str(index)]
        if beside.get("label") != row.get("label") or not beside.get(GROUP_COLUMN):
            found = f"label {beside.get('label')!r} and genre {beside.get(GROUP_COLUMN)!r}"
            raise MalformedText(groups, line, found, f"{row.get('label')!r}, as in line {number} of {path.name}")
        yield number, {**row, GROUP_COLUMN: beside[GROUP_COLUMN]}, {**columns, "group": GROUP_COLUMN}
