"""What an explanation says in words and numbers, wherever it is shown."""

from collections.abc import Sequence

from adaptkit.explanations.explanation import ExplainedWord, Explanation, LeftOut
from adaptkit.terminal.plain_text import one_line

MOST_WORDS = 24
"""Rows of the table of words."""


def headline(found: Explanation) -> str:
    """`animals (93 %) by language/sw > task/topics`."""
    return one_line(f"{found.said} by {found.stack}")


def sum_line(found: Explanation) -> str:
    """What is explained, and how well the attributions add up."""
    return one_line(
        f"{found.unit} of {found.target}: {signed(found.score)}; the words bring {signed(found.difference)} over "
        f"{found.baseline} in their places (gap {100 * found.relative_gap:.1f} %, {found.steps} steps)"
    )


def left_out_line(name: str, without: LeftOut, found: Explanation) -> str:
    """`without language/sw: weather (55 %), -2.81 for animals`."""
    return one_line(f"without {name}: {without.said}, {signed(without.score - found.score)} for {found.target}")


def signed(value: float) -> str:
    """`+1.20`, `-0.03`, `0.00`."""
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text


def change_text(change: float | None) -> str:
    """`31 %`; a dash where there is none."""
    return "–" if change is None else f"{100 * change:.0f} %"


def told_words(words: Sequence[ExplainedWord]) -> tuple[list[ExplainedWord], str]:
    """The words that a table has room for, in their order, and what is said of the others."""
    if len(words) <= MOST_WORDS:
        return list(words), ""
    strongest = sorted(range(len(words)), key=lambda number: -abs(words[number].attribution))[:MOST_WORDS]
    return [words[number] for number in sorted(strongest)], f"the {MOST_WORDS} strongest of {len(words):,} words"


def in_order(texts: Sequence[str], words: Sequence[ExplainedWord]) -> list[list[tuple[str, ExplainedWord | None]]]:
    """Each text in parts, on one line: its words, and what stands between them (None)."""
    return [_parts(text, [word for word in words if word.side == side]) for side, text in enumerate(texts)]


def _parts(text: str, words: Sequence[ExplainedWord]) -> list[tuple[str, ExplainedWord | None]]:
    parts: list[tuple[str, ExplainedWord | None]] = []
    end = 0
    for word in words:
        parts += [(_flat(text[end : word.start]), None), (_flat(word.text), word)]
        end = word.end
    parts.append((_flat(text[end:]), None))
    return [part for part in parts if part[0]]


def _flat(text: str) -> str:
    """As `one_line`, and spaces at the ends stay."""
    return one_line(f"|{text}|")[1:-1]
