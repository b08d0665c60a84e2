"""Write the options of a training into docs/how-to/train.md, and those of a plan into train-many.md, from their fields.

`python -m tools.options_table` writes the pages; a test says when one is stale.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from adaptkit.options import options_of
from adaptkit.regularisers import REGULARISERS
from adaptkit.requests import Planning
from adaptkit.requests.flags import PLAN, TASK, TEXT, WHAT, Flag, flags

_PAGES = Path(__file__).parents[1] / "docs" / "how-to"
PAGE, PAGE_OF_PLANS = _PAGES / "train.md", _PAGES / "train-many.md"
BEGIN, END = "<!-- made by python -m tools.options_table -->", "<!-- end of what it makes -->"
_IN_PYTHON = {
    WHAT: "of `train_adapter`",
    TEXT: "of `train_adapter`",
    TASK: "of `train_adapter`; how a table is read, in `reading=ReadingOptions(...)`",
    "The run": "`run=Run(...)`",
    "The backbone": "`backbone=Pretrained(...)`",
    "What is written": "`output=Output(...)`",
}


def table() -> str:
    """The table of all options, by what has them."""
    return "\n".join(_lines())


def table_of_plans() -> str:
    """The table of what a plan runs with."""
    lines = [_line(Flag(option, PLAN)) for option in options_of(Planning).values()]
    return "\n".join(["| option | means | default |", "|---|---|---|", *lines])


def written(page: str, made: str) -> str:
    """A page with its table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}"


def _lines() -> Iterator[str]:
    yield "| option | means | default |"
    yield "|---|---|---|"
    for group, having in groupby(flags(), key=lambda flag: flag.group):
        yield f"| **{group}** | {_in_python(group)} | |"
        yield from map(_line, having)


def _in_python(group: str) -> str:
    kind, _, names = group.partition(" ")
    if kind in ("Method", "Methods", "Objective", "Objectives"):
        values = " or ".join(f"`{name.title()}(...)`" for name in names.split(", "))
        return f"in Python, `{kind.rstrip('s').lower()}=` {values}"
    if kind in ("Regulariser", "Regularisers"):
        values = " or ".join(f"`{REGULARISERS[name].options.__name__}(weight=...)`" for name in names.split(", "))
        return f"of a task; in Python, `regularisers=` {values}"
    return f"in Python, {_IN_PYTHON[group]}"


def _line(flag: Flag) -> str:
    default = flag.option.default
    told = "" if default is None or default is False or default == () or callable(default) else f"`{default}`"
    return f"| `{flag.option.name}` | {_escaped(flag.option.help)} | {_escaped(told)} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    for file, made in ((PAGE, table()), (PAGE_OF_PLANS, table_of_plans())):
        file.write_text(written(file.read_text(encoding="utf-8"), made), encoding="utf-8")
