"""The tables of a report as values, which Markdown and HTML render alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from adaptkit.evaluation.report.grid import Grid, LanguageMean, Score
from adaptkit.evaluation.report.words import (
    DASH,
    condition_name,
    interval_text,
    language_label,
    plain,
    points,
    rate_text,
    score_text,
)
from adaptkit.evaluation.results import Condition
from adaptkit.scores import Difference
from adaptkit.terminal.amounts import bytes_text, counted


@dataclass(frozen=True)
class Entry:
    """One place of a table: what is read first, what is read second, and the verdict if there is one."""

    text: str
    details: tuple[str, ...] = ()
    verdict: str | None = None


Row = tuple[Entry, ...]
NOTHING = Entry(DASH)


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """The first column names the row; `text_columns` counts those that hold words rather than numbers."""

    kind: Literal["gains", "scores", "classes", "costs", "seeds"]
    title: str
    columns: Row
    rows: tuple[Row, ...]
    averages: tuple[Row, ...] = ()
    text_columns: int = 1


def tables(grid: Grid) -> list[ReportTable]:
    """Gains and scores, the one that answers the question first."""
    metrics = grid.results.metrics
    found = [gains_table(grid)] if grid.compared else []
    found += [scores_table(grid, metric) for metric in metrics]
    return [*found, *([other_comparisons_table(grid)] if grid.other_comparisons else [])]


def last_tables(grid: Grid) -> list[ReportTable]:
    """What few look for: costs, and every score."""
    return [costs_table(grid), seeds_table(grid)]


def gains_table(grid: Grid) -> ReportTable:
    """What each language adapter adds, with interval and verdict."""
    columns = grid.compared
    return ReportTable(
        kind="gains",
        title=f"Gain over no language adapter, in points of {plain(grid.results.metrics[0])}",
        columns=(Entry("Language"), *(condition_entry(grid, condition) for condition in columns)),
        rows=tuple(
            (language_entry(grid, name), *(_gain(grid.gain(name, condition)) for condition in columns))
            for name in grid.in_order
        ),
        averages=tuple(
            (label, *(_average(grid.average_gain(names, condition), points) for condition in columns))
            for label, names in _averaged(grid, grid.with_every_gain or grid.languages)
        ),
    )


def scores_table(grid: Grid, metric: str) -> ReportTable:
    """One metric under every condition, and for the first one what the most frequent label alone would score."""
    majority = {it.language: it.accuracy for it in grid.results.majority} if metric == grid.results.metrics[0] else {}
    return ReportTable(
        kind="scores",
        title=f"Scores: {plain(metric)}",
        columns=(
            Entry("Language"),
            *(condition_entry(grid, condition) for condition in grid.conditions),
            *([Entry("Most frequent label", ("given to every example",))] if majority else []),
        ),
        rows=tuple(
            (
                language_entry(grid, name),
                *(_score(grid, name, condition, metric) for condition in grid.conditions),
                *([_majority(majority.get(name))] if majority else []),
            )
            for name in grid.in_order
        ),
        averages=tuple(
            (
                label,
                *(_average(grid.average_score(names, condition, metric), score_text) for condition in grid.conditions),
                *([NOTHING] if majority else []),
            )
            for label, names in _averaged(grid, grid.with_every_score(metric) or grid.languages)
        ),
    )


def _majority(accuracy: float | None) -> Entry:
    return NOTHING if accuracy is None else Entry(score_text(accuracy))


def other_comparisons_table(grid: Grid) -> ReportTable:
    """Conditions against each other."""
    source = grid.results.source_language
    return ReportTable(
        kind="gains",
        title=f"Conditions against each other, in points of {plain(grid.results.metrics[0])}",
        columns=(Entry("Language"), Entry("Comparison"), Entry("Gain")),
        rows=tuple(
            (
                language_entry(grid, found.language),
                Entry(" against ".join(condition_name(c, source) for c in (found.condition, found.against))),
                _gain(found.difference),
            )
            for found in sorted(grid.other_comparisons, key=lambda found: grid.in_order.index(found.language))
        ),
        text_columns=2,
    )


def costs_table(grid: Grid) -> ReportTable:
    """Test examples a second, peak memory and size of each cell."""
    return ReportTable(
        kind="costs",
        title="Speed and memory: examples per second, peak memory of the process, size of the adapters",
        columns=(Entry("Language"), *(condition_entry(grid, condition) for condition in grid.conditions)),
        rows=tuple(
            (language_entry(grid, name), *(_cost(grid, name, condition) for condition in grid.conditions))
            for name in grid.in_order
        ),
    )


def seeds_table(grid: Grid) -> ReportTable:
    """Every score as it was measured."""
    results = grid.results
    seeds = (f"seeds {', '.join(map(str, results.seeds))}",) if results.seeds else ()
    return ReportTable(
        kind="seeds",
        title="Every score, seed by seed" if seeds else "Every score",
        columns=(
            Entry("Language"),
            Entry("Condition", ("stack",)),
            *(Entry(plain(metric), seeds) for metric in results.metrics),
            Entry("Examples"),
        ),
        rows=tuple(
            (
                language_entry(grid, cell.language),
                Entry(condition_name(cell.condition, results.source_language), (plain(cell.stack),)),
                *(Entry(_seed_scores(cell.scores.get(metric, ()))) for metric in results.metrics),
                Entry(f"{cell.n_examples:,}"),
            )
            for cell in sorted(results.cells, key=lambda cell: grid.in_order.index(cell.language))
        ),
        text_columns=2,
    )


def language_entry(grid: Grid, tag: str) -> Entry:
    """Name and tag; the language of the task's training is marked."""
    label = language_label(tag)
    details = () if label == plain(tag) else (plain(tag),)
    return Entry(label, (*details, "task's own") if tag == grid.results.source_language else details)


def condition_entry(grid: Grid, condition: Condition) -> Entry:
    """The head of a condition's column."""
    name = condition_name(condition, grid.results.source_language)
    return Entry(name, (f"condition {condition}",))


def _gain(gain: Difference | None) -> Entry:
    return Entry(points(gain.mean), (interval_text(gain),), gain.verdict) if gain else NOTHING


def _score(grid: Grid, language: str, condition: Condition, metric: str) -> Entry:
    score, cell = grid.score(language, condition, metric), grid.cell(language, condition)
    if score is None or cell is None:
        return NOTHING
    return Entry(score_text(score.mean), (*_spread(grid, score), bytes_text(cell.adapter_bytes)))


def _spread(grid: Grid, score: Score) -> list[str]:
    n_asked = max(1, len(grid.results.seeds))
    spread = [] if score.sd is None else [f"± {score_text(score.sd)}"]
    return spread if score.n_seeds == n_asked else [*spread, f"{score.n_seeds} of {counted(n_asked, 'seed')}"]


def _cost(grid: Grid, language: str, condition: Condition) -> Entry:
    cell = grid.cell(language, condition)
    if cell is None:
        return NOTHING
    return Entry(rate_text(cell.examples_per_s), (bytes_text(cell.peak_memory_bytes), bytes_text(cell.adapter_bytes)))


def _seed_scores(scores: Sequence[float]) -> str:
    return ", ".join(f"{score:.2f}" for score in scores) or DASH


def _averaged(grid: Grid, languages: Sequence[str]) -> list[tuple[Entry, Sequence[str]]]:
    """Labels with the languages that each averages over, with and without that of the task's training.

    One language has no average.
    """
    source = grid.results.source_language
    groups = [("Average", languages)]
    if source in languages:
        groups.append((f"Average without {language_label(source)}", [name for name in languages if name != source]))
    details = () if len(languages) == len(grid.languages) else ("languages with every condition",)
    return [(Entry(label, details), names) for label, names in groups if len(names) > 1]


def _average(average: LanguageMean | None, written: Callable[[float], str]) -> Entry:
    """Each says over how many languages it is: where no language has every condition, the columns differ."""
    return Entry(written(average.mean), (f"over {average.n_languages}",)) if average else NOTHING
