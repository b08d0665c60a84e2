"""Options of the commands that read labelled examples to measure by."""

from typing import Annotated

import typer

from adaptkit.labelled import ReadingOptions
from adaptkit.labelled.reading_options import columns_of
from adaptkit.options import options_of
from adaptkit.requests import Selection

_SAID = {
    name: option.shell_help for values in (ReadingOptions, Selection) for name, option in options_of(values).items()
}

SplitOption = Annotated[str, typer.Option(help=_SAID["split"])]
LimitOption = Annotated[int | None, typer.Option(help=_SAID["limit"])]
GroupOption = Annotated[str | None, typer.Option(help=_SAID["group"])]
ColumnsOption = Annotated[list[str] | None, typer.Option(help=_SAID["columns"], metavar="<role=name>")]
LabelsOption = Annotated[list[str] | None, typer.Option(help=_SAID["labels"], metavar="<label>")]
NliOption = Annotated[bool | None, typer.Option(help=_SAID["nli"])]
ScoreRangeOption = Annotated[tuple[float, float], typer.Option(help=_SAID["score_range"])]
QuotedOption = Annotated[bool | None, typer.Option(help=_SAID["quoted"])]


def reading_of(
    columns: list[str] | None,
    labels: list[str] | None,
    nli: bool | None,
    score_range: tuple[float, float],
    quoted: bool | None,
) -> ReadingOptions:
    """How labelled examples are read, by the flags.

    Raises:
        ConfigError: Columns that are not written ROLE=NAME, or values that cannot be right.
    """
    return ReadingOptions(
        columns=columns_of(columns or []), labels=tuple(labels or ()), nli=nli, score_range=score_range, quoted=quoted
    )
