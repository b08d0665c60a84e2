"""Write the options of a training into docs/how-to/train.md, from the fields that hold them.

`python -m tools.options_table` writes the page; a test says when it is stale.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from adaptkit.regularisers import REGULARISERS
from adaptkit.requests.flags import TASK, TEXT, WHAT, Flag, flags

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "train.md"
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


def written(page: str) -> str:
    """A page with the table as it is now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


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
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
