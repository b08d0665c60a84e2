"""The report as Markdown."""

from collections.abc import Iterator

from adaptkit.evaluation.report.answers import answers
from adaptkit.evaluation.report.by_class import ClassTables, changes
from adaptkit.evaluation.report.examples import CHOICE, TITLE, ShownExample, groups
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.summary import facts, headline, how_to_read, notes, verdicts, warnings
from adaptkit.evaluation.report.tables import Entry, ReportTable, Row, last_tables, tables
from adaptkit.evaluation.report.words import plain, verdict_text
from adaptkit.evaluation.results import TransferResults
from adaptkit.terminal import plain_text

# An underscore inside a word is no emphasis, so names such as macro_f1 stay readable in the source.


def render_markdown(results: TransferResults) -> str:
    """All that the page shows, without its charts.

    Raises:
        ConfigError: The results have no cell, or two for one place.
    """
    grid = Grid(results)
    sections = [
        [f"# {markdown_text(headline(grid))}"],
        *([f"**{markdown_text(warning)}**"] for warning in warnings(grid)),
        *([markdown_text(sentence)] for sentence in [*answers(grid), *verdicts(grid)]),
        *(_titled(table.title, _table(table)) for table in tables(grid)),
        *_by_class(grid),
        *(_titled(table.title, _table(table)) for table in last_tables(grid)),
        *_examples(grid),
        *([_titled("Notes", _bullets(told))] if (told := notes(grid)) else []),
        _titled("What was evaluated", _pairs(facts(grid))),
        _titled("How to read this", _bullets(how_to_read(grid))),
        _titled("Environment", _pairs(sorted(results.environment.items()))),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no end of the table cell."""
    return plain_text.markdown_text(plain(text))


def _by_class(grid: Grid) -> Iterator[list[str]]:
    """What changed most, and a table for all languages together and for each."""
    if not grid.results.classes:
        return
    found = ClassTables(grid)
    together = [] if found.together is None else [found.together]
    yield _titled("By class", [*_bullets(changes(grid)), *([markdown_text(found.note)] if found.note else [])])
    for table in [*together, *found.of_languages]:
        yield [f"### {markdown_text(table.title)}", "", *_table(table)]


def _examples(grid: Grid) -> Iterator[list[str]]:
    """The examples that an adapter turned, where the results have any."""
    if grid.results.turned:
        yield [*_titled(TITLE, [markdown_text(CHOICE)])]
    for title, shown in groups(grid):
        yield [f"### {markdown_text(title)}", "", *(line for each in shown for line in _example(each))]


def _example(shown: ShownExample) -> list[str]:
    said = [*shown.example.texts, *([shown.strongest] if shown.strongest else [])]
    return [f"- {markdown_text(f'{shown.turned}: {shown.line}')}", *(f"  - {markdown_text(line)}" for line in said)]


def _titled(title: str, lines: list[str]) -> list[str]:
    return [f"## {markdown_text(title)}", "", *lines]


def _bullets(texts: list[str]) -> list[str]:
    return [f"- {markdown_text(text)}" for text in texts]


def _pairs(pairs: list[tuple[str, str]]) -> list[str]:
    return [f"- {markdown_text(label)}: {markdown_text(value)}" for label, value in pairs] or ["- Not recorded."]


def _table(table: ReportTable) -> list[str]:
    alignment = [":--" if number < table.text_columns else "--:" for number in range(len(table.columns))]
    rows = [*map(_row, table.rows), *(_row(row, bold=True) for row in table.averages)]
    return [_row(table.columns), f"| {' | '.join(alignment)} |", *rows]


def _row(row: Row, *, bold: bool = False) -> str:
    return f"| {' | '.join(_entry(entry, bold=bold) for entry in row)} |"


def _entry(entry: Entry, *, bold: bool) -> str:
    text = f"**{markdown_text(entry.text)}**" if bold else markdown_text(entry.text)
    details = [*map(markdown_text, entry.details), *([verdict_text(entry.verdict)] if entry.verdict else [])]
    return " · ".join([text, *details])
