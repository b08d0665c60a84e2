"""An explanation in a terminal: blue words speak for the target, orange ones against it, and numbers say how much."""

import io
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from adaptkit.explanations.explanation import ExplainedWord, Explanation
from adaptkit.explanations.wording import (
    change_text,
    headline,
    in_order,
    left_out_line,
    signed,
    sum_line,
    told_words,
)
from adaptkit.terminal.colours import ON_PAPER, css, ink_on, shade, step_of
from adaptkit.terminal.plain_text import one_line

_PLAIN_WIDTH = 10_000
"""No line is broken where nobody says how wide a line is."""


def coloured(found: Explanation) -> RenderableType:
    """All of it, for a rich console."""
    largest = max(map(abs, found.attributions), default=0.0)
    texts = [_text(parts, largest) for parts in in_order(found.texts, found.words)]
    lines = [Text(left_out_line(name, without, found)) for name, without in found.without.items()]
    return Group(Text(headline(found), "bold"), Text(sum_line(found)), *texts, _table(found, largest), *lines)


def as_plain_text(found: Explanation) -> str:
    """The same without colours."""
    console = Console(file=io.StringIO(), color_system=None, width=_PLAIN_WIDTH, highlight=False)
    with console.capture() as captured:
        console.print(coloured(found))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _text(parts: Sequence[tuple[str, ExplainedWord | None]], largest: float) -> Text:
    shown = Text("  ")
    for part, word in parts:
        shown.append(part, None if word is None else _style(word.attribution, largest))
    return shown


def _table(found: Explanation, largest: float) -> Table:
    words, others = told_words(found.words)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), caption=others or None, caption_justify="left")
    table.add_column(Text("word"))
    for title in ("adds", *(f"moved by {name}" for name in found.without)):
        table.add_column(Text(one_line(title)), justify="right")
    for word in words:
        adds = Text(signed(word.attribution), _style(word.attribution, largest))
        changes = [Text(change_text(word.changes.get(name))) for name in found.without]
        table.add_row(Text(one_line(word.text)), adds, *changes)
    return table


def _style(attribution: float, largest: float) -> Style:
    step = step_of(attribution, largest)
    colour = shade(step, ON_PAPER)
    return Style(color=css(ink_on(colour)), bgcolor=css(colour)) if step else Style()
