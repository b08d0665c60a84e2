"""The report as one self-contained page: no script, no font, no file from elsewhere."""

from collections.abc import Sequence
from html import escape

from adaptkit.evaluation.report.answers import answers
from adaptkit.evaluation.report.examples import CHOICE, TITLE, ShownExample, groups
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.heatmap import heat_map
from adaptkit.evaluation.report.intervals import interval_plot
from adaptkit.evaluation.report.style import STYLE
from adaptkit.evaluation.report.summary import facts, headline, how_to_read, notes, verdict_counts, verdicts, warnings
from adaptkit.evaluation.report.tables import Entry, ReportTable, Row, tables
from adaptkit.evaluation.report.words import MARKS, VERDICT_CLASSES, condition_name, plain
from adaptkit.evaluation.results import Condition, TransferResults
from adaptkit.explanations.html import words_html

# Even if something slipped through the escaping, the page may load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_html(results: TransferResults) -> str:
    """The whole page.

    Raises:
        ConfigError: The results have no cell, or two for one place.
    """
    grid = Grid(results)
    title = html_text(headline(grid))
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title>\n<style>{STYLE}</style>"
    )
    body = "\n".join(
        [
            _header(grid),
            _charts(grid),
            *map(_table, tables(grid)),
            _examples(grid),
            _notes(grid),
            _evaluated(grid),
            _reading(grid),
            _environment(grid),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n'
    )


def html_text(text: str) -> str:
    """Printable text with every sign escaped that means something in HTML."""
    return escape(plain(text))


def _header(grid: Grid) -> str:
    alerts = "".join(f'<p class="warning" role="note">{html_text(warning)}</p>' for warning in warnings(grid))
    first = "".join(f'<p class="answer">{html_text(sentence)}</p>' for sentence in answers(grid))
    sentences = "".join(f"<p>{html_text(sentence)}</p>" for sentence in verdicts(grid))
    return (
        f'<header><p class="kicker">adaptkit transfer report</p><h1>{html_text(headline(grid))}</h1>{alerts}'
        f'<div class="verdict">{first}{sentences}</div>{_counts(grid)}</header>'
    )


def _counts(grid: Grid) -> str:
    rows = "".join(f"<li>{_counted_row(grid, condition)}</li>" for condition in grid.telling)
    return f'<ul class="counts">{rows}</ul>' if grid.compared else ""


def _counted_row(grid: Grid, condition: Condition) -> str:
    name = html_text(condition_name(condition, grid.results.source_language))
    return f"<b>{name}</b>{''.join(_count(*item) for item in verdict_counts(grid, condition).items())}"


def _count(verdict: str, count: int) -> str:
    nobody = "" if count else " nobody"
    return f'<span class="{VERDICT_CLASSES[verdict]}{nobody}"><b>{MARKS[verdict]} {count}</b> {verdict}</span>'


def _notes(grid: Grid) -> str:
    return _section("Notes", _bullets(notes(grid) or ["None."]), "notes")


def _charts(grid: Grid) -> str:
    if not grid.compared:
        return ""
    metric = html_text(grid.results.metrics[0])
    heat = f"<figure><h2>Gain by language and condition</h2>{heat_map(grid)}</figure>"
    plot = f"<figure><h2>How sure each gain is</h2>{interval_plot(grid)}</figure>"
    key = (
        f"<p class='key'><span>Points of {metric} over no language adapter, largest gain first.</span> "
        "<span class='helps'>▲ helps</span> <span class='unclear'>○ no evidence</span> "
        "<span class='hurts'>▼ hurts</span></p>"
    )
    # Under one condition the plot shows all that the map would.
    charts = f"{heat}{plot}" if len(grid.compared) > 1 else plot
    return f'<section class="charts"><div>{charts}</div>{key}</section>'


def _examples(grid: Grid) -> str:
    """The examples that an adapter turned, where the results have any."""
    shown = "".join(f"<h3>{html_text(title)}</h3>{''.join(map(_example, each))}" for title, each in groups(grid))
    return _section(TITLE, f"<p>{html_text(CHOICE)}</p>{shown}", "examples") if shown else ""


def _example(shown: ShownExample) -> str:
    kind = "helps" if shown.example.turned == "right" else "hurts"
    words = shown.example.words
    texts = words_html(shown.example.texts, words) if words else _plain_texts(shown.example.texts)
    strongest = f"<small>{html_text(shown.strongest)}</small>" if shown.strongest else ""
    line = f'<small class="{kind}">{html_text(shown.turned)}</small> <span>{html_text(shown.line)}</span>'
    return f'<div class="example"><div>{line}</div>{texts}{strongest}</div>'


def _plain_texts(texts: Sequence[str]) -> str:
    return "".join(f'<div dir="auto">{html_text(text)}</div>' for text in texts)


def _evaluated(grid: Grid) -> str:
    return _section("What was evaluated", _pairs(facts(grid), "facts"))


def _reading(grid: Grid) -> str:
    return _section("How to read this", _bullets(how_to_read(grid)))


def _environment(grid: Grid) -> str:
    pairs = sorted(grid.results.environment.items()) or [("Environment", "not recorded")]
    return _section("Environment", _pairs(pairs, "facts"), "environment")


def _section(title: str, content: str, class_: str = "") -> str:
    return f'<section class="{class_}"><h2>{html_text(title)}</h2>{content}</section>'


def _bullets(texts: list[str]) -> str:
    return f"<ul>{''.join(f'<li dir=auto>{html_text(text)}</li>' for text in texts)}</ul>"


def _pairs(pairs: list[tuple[str, str]], class_: str) -> str:
    items = "".join(f"<div><dt>{html_text(label)}</dt><dd>{html_text(value)}</dd></div>" for label, value in pairs)
    return f'<dl class="{class_}">{items}</dl>'


def _table(table: ReportTable) -> str:
    heading = html_text(table.title)
    head = _row(table.columns, table.text_columns, "col")
    body = "".join(_row(row, table.text_columns) for row in table.rows)
    foot = (
        f"<tfoot>{''.join(_row(row, table.text_columns) for row in table.averages)}</tfoot>" if table.averages else ""
    )
    return (
        f'<section><h2>{heading}</h2><div class="scroll" role="region" aria-label="{heading}" tabindex="0">'
        f'<table class="{table.kind}"><thead>{head}</thead><tbody>{body}</tbody>{foot}</table></div></section>'
    )


def _row(row: Row, text_columns: int, scope: str = "row") -> str:
    cells = []
    for number, entry in enumerate(row):
        tag, scoped = ("th", f' scope="{scope}"') if scope == "col" or number == 0 else ("td", "")
        kind = "" if number < text_columns else ' class="number"'
        cells.append(f"<{tag}{scoped}{kind}>{_entry(entry)}</{tag}>")
    return f"<tr>{''.join(cells)}</tr>"


def _entry(entry: Entry) -> str:
    details = "".join(f"<small>{html_text(detail)}</small>" for detail in entry.details)
    verdict = (
        f'<small class="{VERDICT_CLASSES[entry.verdict]}">{MARKS[entry.verdict]} {entry.verdict}</small>'
        if entry.verdict
        else ""
    )
    return f"<div><span>{html_text(entry.text)}</span>{details}{verdict}</div>"
