"""The answer with its number: the first sentences of a report."""

from collections.abc import Sequence
from statistics import fmean

from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.words import (
    condition_subject,
    interval_text,
    language_label,
    listed,
    plain,
    points,
    score_text,
)
from adaptkit.evaluation.results import Condition
from adaptkit.scores import Difference
from adaptkit.terminal.amounts import counted

_PERFECT = 100.0
MOST_NAMED = 3
"""With more languages than this, one sentence gives their average."""


def answers(grid: Grid) -> list[str]:
    """What the first condition that a reader asks about changed: a sentence a language, or one for all of them.

    The language that the task was trained in counts only where there is no other.
    """
    if not grid.compared:
        return []
    condition = grid.telling[0]
    foreign = _foreign(grid, condition)
    if len(foreign) > MOST_NAMED:
        return [_average(grid, condition, foreign)]
    return [answer(grid, condition, language) for language in foreign]


def answer(grid: Grid, condition: Condition, language: str) -> str:
    """Such as: Hausa: 46.1 → 53.9, +7.8 points of accuracy (+2.9 to +12.7); the Hausa adapter helps."""
    gain = grid.gain(language, condition)
    assert gain is not None  # noqa: S101 - only such languages are asked for
    own = condition_subject(condition, grid.results.source_language, language)
    subject = plain(grid.together(language, condition)) or own
    outcome = _outcome(gain, subject, is_perfect=_is_perfect(grid, language))
    return (
        f"{language_label(language)}: {_change(grid, condition, [language])}, "
        f"{_points(grid, gain.mean)} ({interval_text(gain)}); {outcome}."
    )


def _average(grid: Grid, condition: Condition, languages: Sequence[str]) -> str:
    gain = grid.average_gain(languages, condition)
    assert gain is not None  # noqa: S101 - all of them have one
    return (
        f"Average over {counted(len(languages), 'language')}: {_change(grid, condition, languages)}, "
        f"{_points(grid, gain.mean)} with {condition_subject(condition, grid.results.source_language)}"
        f"{beside_glossaries(grid, condition, languages)}."
    )


def beside_glossaries(grid: Grid, condition: Condition, languages: Sequence[str]) -> str:
    """In which languages an adapter was not measured alone: ` (in Hausa and Igbo together with a glossary)`."""
    having = [language_label(name) for name in languages if grid.together(name, condition)]
    return f" (in {listed(having)} together with a glossary)" if having else ""


def _foreign(grid: Grid, condition: Condition) -> list[str]:
    measured = [name for name in grid.by_gain if grid.gain(name, condition)]
    return [name for name in measured if name != grid.results.source_language] or measured


def _is_perfect(grid: Grid, language: str) -> bool:
    """Whether all was right without an adapter."""
    without = grid.score(language, "none", grid.results.metrics[0])
    return without is not None and without.mean >= _PERFECT


def _outcome(gain: Difference, subject: str, *, is_perfect: bool) -> str:
    if is_perfect and gain.mean >= 0:
        return f"all was right without {subject}, so these examples leave no room for a gain: try more, or harder ones"
    if gain.verdict == "no evidence":
        return f"no evidence that {subject} helps or hurts"
    return f"{subject} {gain.verdict}"


def _change(grid: Grid, condition: Condition, languages: Sequence[str]) -> str:
    metric = grid.results.metrics[0]
    found = [
        [score.mean for name in languages if (score := grid.score(name, each, metric))] for each in ("none", condition)
    ]
    return " → ".join(score_text(fmean(means)) for means in found)


def _points(grid: Grid, gain: float) -> str:
    return f"{points(gain)} points of {plain(grid.results.metrics[0])}"
