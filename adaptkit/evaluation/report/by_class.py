"""The tables by class, and in sentences which classes changed most."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from statistics import fmean
from typing import TypeVar

from adaptkit.evaluation.report.answers import beside_glossaries
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.tables import NOTHING, Entry, ReportTable, Row, condition_entry
from adaptkit.evaluation.report.words import (
    DASH,
    condition_subject,
    interval_text,
    language_label,
    plain,
    points,
    score_text,
)
from adaptkit.evaluation.results import ClassScore, Condition, Confusion
from adaptkit.terminal.amounts import counted

MOST_CLASSES = 30
"""More than so many are a table that nobody reads: the page shows the most frequent ones, classes.csv has all."""
_MOST_NAMED = 3
Found = TypeVar("Found", ClassScore, Confusion)
FEW_LANGUAGES = 3
"""Of so many languages each has its table at once; of more, one for all of them together comes first."""


class ClassTables:
    """What results say of classes, arranged for tables: those with the largest gains first, in all tables alike."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._scores = {(it.language, it.condition, it.label): it for it in grid.results.classes}
        self.languages = tuple(
            name for name in grid.in_order if any(name == it.language for it in grid.results.classes)
        )

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The classes that are shown."""
        numbers: dict[str, int] = {}
        for it in self._grid.results.classes:
            if it.condition == "none":
                numbers[it.label] = numbers.get(it.label, 0) + it.n
            numbers.setdefault(it.label, 0)
        frequent = sorted(numbers, key=lambda label: -numbers[label])[:MOST_CLASSES]
        return tuple(sorted(frequent, key=lambda label: -self._mean_gain(label)))

    @property
    def together(self) -> ReportTable | None:
        """One table of all languages that have every condition, where there are more than a few."""
        grid = self._grid
        having = [name for name in self.languages if all(grid.cell(name, condition) for condition in grid.conditions)]
        if len(self.languages) <= FEW_LANGUAGES or len(having) < 2:
            return None
        return self._table(f"F1 by class, {counted(len(having), 'language')} together", having)

    @property
    def of_languages(self) -> list[ReportTable]:
        """One for each language."""
        return [self._table(f"F1 by class: {language_label(language)}", [language]) for language in self.languages]

    @property
    def note(self) -> str:
        """What the tables leave out; empty where it is nothing."""
        n = len({it.label for it in self._grid.results.classes})
        return "" if n <= MOST_CLASSES else f"The {MOST_CLASSES} most frequent of {n:,} classes; classes.csv has all."

    def _table(self, title: str, languages: Sequence[str]) -> ReportTable:
        grid = self._grid
        return ReportTable(
            kind="classes",
            title=title,
            columns=(Entry("Class"), *(condition_entry(grid, condition) for condition in grid.conditions)),
            rows=tuple(self._row(label, languages) for label in self.labels if self._has(label, languages)),
        )

    def _has(self, label: str, languages: Sequence[str]) -> bool:
        """Whether a test has an example of a class: what is taken for one that it has none of shows in the others."""
        return any(score.n for score in self._found(label, languages, "none"))

    def _row(self, label: str, languages: Sequence[str]) -> Row:
        without = self._found(label, languages, "none")
        n = sum(score.n for score in without)
        entries = (self._entry(self._found(label, languages, each), without) for each in self._grid.conditions)
        return (Entry(plain(label), (f"{n:,} {without[0].counted}",)), *entries)

    def _entry(self, scores: Sequence[ClassScore], without: Sequence[ClassScore]) -> Entry:
        if not scores:
            return NOTHING
        f1, parts = _pooled(scores)
        if scores[0].condition == "none":
            return Entry(score_text(f1), parts)
        if len(scores) > 1:
            return Entry(score_text(f1), (*parts, points(f1 - _pooled(without)[0])))
        gain = scores[0].gain
        assert gain is not None  # noqa: S101 - only `none` has none
        return Entry(score_text(f1), (*parts, f"{points(gain.mean)} ({interval_text(gain)})"), gain.verdict)

    def _found(self, label: str, languages: Iterable[str], condition: Condition) -> list[ClassScore]:
        found = (self._scores.get((language, condition, label)) for language in languages)
        return [score for score in found if score is not None]

    def _mean_gain(self, label: str) -> float:
        telling = self._grid.telling
        gains = [it.gain.mean for it in self._found(label, self.languages, telling[0]) if it.gain] if telling else []
        return fmean(gains) if gains else 0.0


def _pooled(scores: Sequence[ClassScore]) -> tuple[float, tuple[str, str]]:
    """F1 of counts together, and precision and recall in words."""
    correct, predicted, gold = (sum(getattr(it, part) for it in scores) for part in ("correct", "predicted", "gold"))
    f1 = 200 * correct / (predicted + gold) if predicted + gold else 0.0
    return f1, (f"P {_share(correct, predicted)}", f"R {_share(correct, gold)}")


def _share(part: int, whole: int) -> str:
    return score_text(100 * part / whole) if whole else DASH


def changes(grid: Grid) -> list[str]:
    """Which classes gained and lost most, and which confusion grew most, with the adapter that is asked about first."""
    if not grid.results.classes or not grid.telling:
        return []
    condition = grid.telling[0]
    subject = condition_subject(condition, grid.results.source_language)
    subject += beside_glossaries(grid, condition, grid.by_gain)
    measured = _foreign(grid, [it for it in grid.results.classes if it.condition == condition])
    grown = _foreign(grid, [it for it in grid.results.confusions if it.condition == condition])
    return [
        _most(
            measured, "helps", f"With {subject}, F1 gains most on", f"With {subject}, no class gains more than chance"
        ),
        _most(measured, "hurts", "F1 loses most on", "No class loses more than chance"),
        *([_grown(max(grown, key=lambda it: it.after - it.before), grid)] if grown else []),
    ]


def _foreign(grid: Grid, found: list[Found]) -> list[Found]:
    """Those of other languages than the task was trained in, where there are any."""
    return [it for it in found if it.language != grid.results.source_language] or found


def _most(scores: Sequence[ClassScore], verdict: str, some: str, none: str) -> str:
    found = [(it, it.gain) for it in scores if it.gain is not None and it.gain.verdict == verdict]
    found.sort(key=lambda pair: -abs(pair[1].mean))
    named = [
        f"{language_label(it.language)}, {plain(it.label)}: {points(gain.mean)} ({interval_text(gain)}; "
        f"{it.n:,} {it.counted})"
        for it, gain in found[:_MOST_NAMED]
    ]
    more = f"; and {len(found) - _MOST_NAMED:,} more" if len(found) > _MOST_NAMED else ""
    return f"{some} {'; '.join(named)}{more}." if named else f"{none}."


def _grown(confusion: Confusion, grid: Grid) -> str:
    seeds = f" ({counted(len(grid.results.seeds), 'seed')} together)" if len(grid.results.seeds) > 1 else ""
    return (
        f"The confusion that grew most: in {language_label(confusion.language)}, {plain(confusion.right)} is answered "
        f"as {plain(confusion.answered)} {confusion.after:,} times instead of {confusion.before:,}, of {confusion.n:,} "
        f"{confusion.counted}{seeds}."
    )
