"""An explanation on a page or in a notebook, light or dark: half-transparent colours, and the page's own ink."""

from collections.abc import Sequence
from html import escape

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
from adaptkit.terminal.colours import IN_THE_DARK, STEPS, Colour, step_of
from adaptkit.terminal.plain_text import one_line

MOST_OPAQUE = 0.5
"""Black ink on white, and white ink on black, can be read through it."""

_CELL = "text-align:right;padding:.1em .8em .1em 0"
_WORD_CELL = "text-align:left;padding:.1em .8em .1em 0"


def explanation_html(found: Explanation) -> str:
    """All of it, as a part of a page."""
    without = "".join(
        f"<div>{html_text(left_out_line(name, each, found))}</div>" for name, each in found.without.items()
    )
    return (
        f'<div style="line-height:1.6"><div><b dir="auto">{html_text(headline(found))}</b></div>'
        f'<div dir="auto">{html_text(sum_line(found))}</div>'
        f"{words_html(found.texts, found.words)}{_table(found)}{without}</div>"
    )


def words_html(texts: Sequence[str], words: Sequence[ExplainedWord]) -> str:
    """The texts, a line each, with the words that speak for the target in blue and those against it in orange."""
    largest = max((abs(word.attribution) for word in words), default=0.0)
    lines = ("".join(_part(part, word, largest) for part, word in parts) for parts in in_order(texts, words))
    return "".join(f'<div dir="auto">{line}</div>' for line in lines)


def html_text(text: str) -> str:
    """One line of printable text with every sign escaped that means something in HTML."""
    return escape(one_line(text))


def background(attribution: float, largest: float) -> str:
    """`rgba(88,160,236,0.30)`."""
    step = step_of(attribution, largest)
    red, green, blue = _end(step)
    return f"rgba({red},{green},{blue},{MOST_OPAQUE * abs(step) / STEPS:.2f})"


def _end(step: int) -> Colour:
    return IN_THE_DARK[2] if step > 0 else IN_THE_DARK[0]


def _part(part: str, word: ExplainedWord | None, largest: float) -> str:
    if word is None:
        return escape(part)
    style = f"background:{background(word.attribution, largest)};border-radius:.2em;padding:.1em 0"
    return f'<span style="{style}" title="{signed(word.attribution)}">{escape(part)}</span>'


def _table(found: Explanation) -> str:
    words, others = told_words(found.words)
    titles = ("adds", *(f"moved by {name}" for name in found.without))
    head = f'<th style="{_WORD_CELL}">word</th>' + "".join(
        f'<th style="{_CELL}">{html_text(title)}</th>' for title in titles
    )
    largest = max(map(abs, found.attributions), default=0.0)
    rows = "".join(_row(word, list(found.without), largest) for word in words)
    caption = f'<caption style="caption-side:bottom;text-align:left">{html_text(others)}</caption>' if others else ""
    return f'<table style="border-collapse:collapse">{caption}<tr>{head}</tr>{rows}</table>'


def _row(word: ExplainedWord, adapters: Sequence[str], largest: float) -> str:
    changes = "".join(f'<td style="{_CELL}">{change_text(word.changes.get(name))}</td>' for name in adapters)
    adds = f'<td style="{_CELL};background:{background(word.attribution, largest)}">{signed(word.attribution)}</td>'
    return f'<tr><td style="{_WORD_CELL}" dir="auto">{html_text(word.text)}</td>{adds}{changes}</tr>'
