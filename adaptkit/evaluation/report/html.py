"""The report as one self-contained page: no script, no font, no file from elsewhere."""

from adaptkit.evaluation.report.answers import answers
from adaptkit.evaluation.report.by_class import ClassTables, changes
from adaptkit.evaluation.report.examples import CHOICE, TITLE, groups
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.heatmap import heat_map
from adaptkit.evaluation.report.intervals import interval_plot
from adaptkit.evaluation.report.style import STYLE
from adaptkit.evaluation.report.summary import facts, headline, how_to_read, notes, verdict_counts, verdicts, warnings
from adaptkit.evaluation.report.tables import last_tables, tables
from adaptkit.evaluation.report.words import MARKS, VERDICT_CLASSES, condition_name, plain
from adaptkit.evaluation.results import TransferResults
from adaptkit.explanations.html import words_html
from adaptkit.pages.template import filled, markup


def render_html(results: TransferResults) -> str:
    """The whole page.

    Raises:
        ConfigError: The results have no cell, or two for one place.
    """
    grid = Grid(results)
    source = results.source_language
    # Under one condition the plot shows all that the map would.
    charts = [heat_map(grid) if len(grid.compared) > 1 else "", interval_plot(grid)] if grid.compared else ["", ""]
    return filled(
        "html line",
        "adaptkit.evaluation.report",
        "report.html.jinja",
        style=markup(STYLE),
        headline=plain(headline(grid)),
        warnings=list(map(plain, warnings(grid))),
        answers=list(map(plain, answers(grid))),
        verdicts=list(map(plain, verdicts(grid))),
        counts=[(condition_name(each, source), verdict_counts(grid, each)) for each in grid.telling],
        heat_map=markup(charts[0]),
        interval_plot=markup(charts[1]),
        metric=plain(results.metrics[0]),
        tables=tables(grid),
        last_tables=last_tables(grid),
        by_class=ClassTables(grid) if results.classes else None,
        class_changes=changes(grid),
        examples=groups(grid),
        examples_title=TITLE,
        choice=CHOICE,
        words_html=words_html,
        notes=notes(grid),
        facts=facts(grid),
        how_to_read=how_to_read(grid),
        environment=sorted(results.environment.items()) or [("Environment", "not recorded")],
        marks=MARKS,
        classes=VERDICT_CLASSES,
    )
