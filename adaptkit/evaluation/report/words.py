"""How the report writes numbers, languages and verdicts."""

from collections.abc import Sequence

from adaptkit.errors import UnknownLanguage
from adaptkit.evaluation.results import Condition
from adaptkit.languages import language_name
from adaptkit.scores import Difference
from adaptkit.terminal.plain_text import one_line

DASH = "–"
MARKS = {"helps": "▲", "hurts": "▼", "no evidence": "○"}
"""Told by shape, so that they need no colour."""
VERDICT_CLASSES = {"helps": "helps", "hurts": "hurts", "no evidence": "unclear"}
"""Class names of the page's style."""
_MAX_NAMED = 12


def plain(text: str) -> str:
    """One line of printable text: no control, bidirectional override or lone surrogate reaches a page."""
    return one_line(text)


def language_label(tag: str) -> str:
    """The English name, or what stands in the results where that is no language."""
    try:
        return language_name(tag)
    except UnknownLanguage:
        return plain(tag)


def cut(text: str, length: int) -> str:
    """At most so many signs, with an ellipsis where some were cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def both_names(tag: str) -> str:
    """`Swahili (sw)`."""
    label = language_label(tag)
    return label if label == plain(tag) else f"{label} ({plain(tag)})"


def score_text(value: float) -> str:
    """One decimal."""
    return f"{value:.1f}"


def points(value: float) -> str:
    """Points with their sign: `+8.8`, `−1.4`, `0.0`. A small one gets a second decimal and never looks like zero."""
    digits = 1 if value == 0 or abs(value) >= 0.05 else 2
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{abs(value):.{digits}f}"


def interval_text(difference: Difference) -> str:
    """`+2.1 to +15.5`."""
    return f"{points(difference.low)} to {points(difference.high)}"


def verdict_text(verdict: str) -> str:
    """`▲ helps`."""
    return f"{MARKS[verdict]} {verdict}"


def rate_text(per_second: float) -> str:
    """`812/s`, `3.4/s`."""
    return f"{per_second:,.{1 if per_second < 10 else 0}f}/s"


def percent(confidence: float) -> str:
    """`95 %`."""
    return f"{100 * confidence:g} %"


def listed(names: Sequence[str]) -> str:
    """`Hausa, Igbo and Swahili`; a long list is cut and counted."""
    shown = [*names[:_MAX_NAMED], f"{len(names) - _MAX_NAMED} more"] if len(names) > _MAX_NAMED + 1 else list(names)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def condition_text(condition: Condition, source_language: str) -> str:
    """What lies below the task adapter, in a few words."""
    return {
        "none": "no language adapter",
        "source": f"the adapter of {language_label(source_language)}",
        "target": "the test language's own adapter",
        "relative": "the adapter of its family or nearest relative",
        "stack": "what was named, as it was named, with its own heads",
    }[condition]


def condition_name(condition: Condition, source_language: str) -> str:
    """What a column or a legend calls it."""
    return {
        "none": "no adapter",
        "source": f"{language_label(source_language)} adapter",
        "target": "own adapter",
        "relative": "relative's adapter",
        "stack": "the stack",
    }[condition]


def condition_subject(condition: Condition, source_language: str, language: str | None = None) -> str:
    """The adapter as the subject of a sentence, about one test language or about several."""
    own = "the language's own adapter" if language is None else f"the {language_label(language)} adapter"
    return {
        "none": "no adapter",
        "source": f"the {language_label(source_language)} adapter",
        "target": own,
        "relative": "the adapter of a relative",
        "stack": "the stack",
    }[condition]
