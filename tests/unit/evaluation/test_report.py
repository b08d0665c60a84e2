import csv
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree as ET

import pytest

from adaptkit.errors import ConfigError
from adaptkit.evaluation.report.chart_file import gains_svg, heatmap_svg
from adaptkit.evaluation.report.csv_table import results_csv
from adaptkit.evaluation.report.grid import Grid
from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.report.markdown import markdown_text, render_markdown
from adaptkit.evaluation.report.report_folder import REPORT_FILES, save_report
from adaptkit.evaluation.report.results_file import load_results
from adaptkit.evaluation.report.spoken import spoken
from adaptkit.evaluation.report.tables import tables
from adaptkit.evaluation.report.words import language_label
from adaptkit.evaluation.results import CONDITIONS, Majority, MeasuredAdapter, TransferResults
from adaptkit.terminal.colours import IN_THE_DARK, ON_PAPER, STEPS, _contrast, ink_on, shade, step_of
from tests.unit.evaluation.invented import compared, invented_cell, with_classes

HOSTILE = "x\"><script>alert('1')</script><img src=//evil> | `$a_1$` \u202e *b*"


class Page(HTMLParser):
    """Which elements and attributes a page has, and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rendered(results: TransferResults) -> dict[str, str]:
    return {"html": unescape(re.sub(r"<[^>]*>", "|", render_html(results))), "md": render_markdown(results)}


def hostile(results: TransferResults) -> TransferResults:
    cells = tuple(
        replace(invented_cell("sw", condition, 60.0), language=HOSTILE, stack=HOSTILE) for condition in CONDITIONS[:3]
    )
    return replace(
        results,
        task=HOSTILE,
        source_language=HOSTILE,
        backbone=HOSTILE,
        adapters=(HOSTILE,),
        cells=cells,
        comparisons=tuple(
            replace(compared("sw", condition, 3.0, 2.0), language=HOSTILE) for condition in CONDITIONS[1:3]
        ),
        notes=(HOSTILE,),
        environment={HOSTILE: HOSTILE},
    )


def test_every_score_and_every_comparison_appears(results: TransferResults) -> None:
    for text in rendered(results).values():
        for cell in results.cells:
            assert cell.stack in text
            for scores in cell.scores.values():
                assert ", ".join(f"{score:.2f}" for score in scores) in text
                assert f"{fmean(scores):.1f}" in text
        for comparison in results.comparisons:
            assert f"{abs(comparison.difference.mean):.1f}" in text
            assert f"{abs(comparison.difference.low):.1f} to" in text
        for needed in ("▲ helps", "▼ hurts", "○ no evidence", "183/s", "612 MiB", "1.3 MiB", "204", "3 (0, 1, 2)"):
            assert needed in text


def test_a_row_holds_gain_interval_and_verdict(results: TransferResults) -> None:
    text = render_markdown(results)
    row = "| Swahili · sw | +1.1 · −2.3 to +4.5 · ○ no evidence | +8.8 · +4.2 to +13.4 · ▲ helps |"
    assert row in text
    assert "| Swahili · sw | 66.7 · ± 0.8 · 11 KiB | 67.8 · ± 0.8 · 1.3 MiB | 75.5 · ± 0.8 · 1.3 MiB |" in text


def test_a_missing_cell_is_a_dash_with_its_reason_in_the_notes(results: TransferResults) -> None:
    text = render_markdown(results)
    assert "| Dzongkha · dz | 24.5 · ± 0.8 · 11 KiB | 24.5 · ± 0.8 · 1.3 MiB | – |" in text
    assert text.index("## Gain over") < text.index("dz: no target adapter") < text.index("## Environment")


def test_average_rows_are_those_computed_by_hand(results: TransferResults) -> None:
    cells = [
        replace(invented_cell(language, condition, 0.0), scores={"accuracy": (score, score, score)})
        for language, by_condition in {"en": (80.0, 82.0), "sw": (60.0, 70.0), "ha": (50.0, 56.0)}.items()
        for condition, score in zip((CONDITIONS[0], CONDITIONS[2]), by_condition, strict=True)
    ]
    gains = tuple(compared(name, "target", gain, 1.0) for name, gain in (("en", 2.0), ("sw", 10.0), ("ha", 6.0)))
    text = render_markdown(replace(results, metrics=("accuracy",), cells=tuple(cells), comparisons=gains))
    assert "| **Average** | **63.3** · over 3 | **69.3** · over 3 |" in text
    assert "| **Average without English** | **55.0** · over 2 | **63.0** · over 2 |" in text
    assert "| **Average** | **+6.0** · over 3 |" in text
    assert "| **Average without English** | **+8.0** · over 2 |" in text


def test_one_language_has_no_average_and_no_notes_have_no_section(results: TransferResults) -> None:
    one = replace(
        results,
        source_language="en",
        cells=tuple(each for each in results.cells if each.language in ("en", "sw")),
        comparisons=tuple(each for each in results.comparisons if each.language in ("en", "sw")),
        notes=(),
    )
    for text in (render_markdown(one), render_html(one)):
        assert "Average" in text
        assert "Average without English" not in text
        assert ("Notes" in text) == ("was not tested" in text or "Not measured" in text)


def test_averages_leave_out_languages_without_every_condition(results: TransferResults) -> None:
    label = "| **Average without English** · languages with every condition |"
    assert f"{label} **64.5** · over 8 | **63.8** · over 8 | **69.2** · over 8 |" in render_markdown(results)


def test_a_limit_is_told_in_the_first_lines(results: TransferResults) -> None:
    limited = replace(results, limit=50)
    assert "at most 50 test examples" in "\n".join(render_markdown(limited).splitlines()[:4])
    page = render_html(limited)
    assert page.index("at most 50 test examples") < page.index('class="verdict"')
    assert "Limited run" not in render_html(results)


def test_hostile_names_stay_text(results: TransferResults) -> None:
    page = render_html(hostile(results))
    parsed = Page(page)
    assert not parsed.open
    assert not parsed.tags & {"script", "img", "link", "iframe", "object"}
    assert not {name for name in parsed.attributes if name.startswith("on") or name in {"src", "href"}}
    assert "\u202e" not in page
    assert HOSTILE.split(" |")[0] in unescape(page)
    lines = render_markdown(hostile(results)).splitlines()
    assert not any("<" in line or "\u202e" in line for line in lines)
    rows = [len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("| x")]
    assert set(rows) <= {3, 4, 5, 6}
    assert r"\| \`$a_1$\`" in markdown_text(HOSTILE)


def test_the_page_needs_nothing_from_elsewhere(results: TransferResults) -> None:
    page = render_html(results)
    parsed = Page(page)
    assert not parsed.open
    assert not parsed.tags & {"script", "link", "img", "iframe"}
    assert not re.search(r"https?:|url\(|@import|src=", page)


def test_charts_name_themselves_and_print_every_gain(results: TransferResults) -> None:
    heat, plot = re.findall(r"<svg.*?</svg>", render_html(results), re.DOTALL)
    for chart in (heat, plot):
        assert re.search(r"<title id=\"\w+-title\">.+?</title><desc id", chart)
        for text in ("▲ +11.3", "▼ −5.4", "○ 0.0", "Yoruba"):
            assert f">{text}</text>" in chart
        assert {"English", "own", "adapter"} <= set(re.findall(r"[A-Za-z]+", re.sub("<[^>]*>", " ", chart)))
        assert chart.index(">Yoruba<") < chart.index(">Hausa<") < chart.index(">Bambara<") < chart.index(">Dzongkha<")
    assert 'class="zero"' in plot
    assert plot.count('class="bar') == sum(comparison.against == "none" for comparison in results.comparisons)


@pytest.mark.parametrize("scale", [ON_PAPER, IN_THE_DARK])
def test_numbers_are_readable_on_every_shade(scale: tuple[tuple[int, int, int], ...]) -> None:
    for step in range(-STEPS, STEPS + 1):
        colour = shade(step, scale)
        assert _contrast(ink_on(colour), colour) >= 4.5


def test_the_scale_is_symmetric_and_has_a_middle() -> None:
    assert [step_of(gain, 10.0) for gain in (-10.0, -5.1, 0.0, 0.9, 10.0)] == [-5, -3, 0, 0, 5]
    assert step_of(0.0, 0.0) == 0


def test_a_report_is_seven_files_that_agree(results: TransferResults, tmp_path: Path) -> None:
    results = with_classes(results)
    folder = save_report(results, tmp_path / "report")
    assert sorted(file.name for file in folder.iterdir()) == sorted(REPORT_FILES)
    assert load_results(folder / "results.json") == results
    assert (folder / "report.html").read_text() == render_html(results)
    page = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("heatmap.svg", "gains.svg"):
        drawing = (folder / name).read_text(encoding="utf-8")
        assert ET.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
        assert drawing.partition("</style>")[2].strip() in page


def test_one_condition_has_one_chart(results: TransferResults) -> None:
    cells = tuple(cell for cell in results.cells if cell.condition != "source")
    gains = tuple(each for each in results.comparisons if (each.condition, each.against) == ("target", "none"))
    page = render_html(replace(results, cells=cells, comparisons=gains))
    assert page.count("<svg") == 1
    assert render_html(results).count("<svg") == 2


def test_every_table_has_its_languages_in_one_order(results: TransferResults) -> None:
    order = Grid(results).in_order
    for table in tables(Grid(results)):
        names = list(dict.fromkeys(row[0].text for row in table.rows))
        assert names == [language_label(name) for name in order if language_label(name) in names]


def test_the_table_for_spreadsheets_holds_every_score(results: TransferResults) -> None:
    rows = list(csv.DictReader(results_csv(results).decode().splitlines()))
    found = {(row["language"], row["condition"], int(row["seed"])): float(row["accuracy"]) for row in rows}
    for cell in results.cells:
        for seed, score in zip(results.seeds, cell.scores["accuracy"], strict=True):
            assert found[cell.language, cell.condition, seed] == score
    swahili = next(row for row in rows if (row["language"], row["condition"]) == ("sw", "target"))
    assert (float(swahili["gain"]), swahili["verdict"]) == (8.82, "helps")


def test_no_name_is_a_formula_in_a_spreadsheet(results: TransferResults) -> None:
    bad = "=HYPERLINK(1)"
    changed = replace(results, comparisons=(), cells=tuple(replace(it, stack=bad) for it in results.cells))
    assert {row["stack"] for row in csv.DictReader(results_csv(changed).decode().splitlines())} == {"'" + bad}


def test_language_adapters_are_named_with_weights_text_and_licence(results: TransferResults) -> None:
    adapter = MeasuredAdapter(id="language/sw", weights_sha256="ab" * 32, text="news.txt", licence="CC-BY-4.0")
    for text in rendered(replace(results, language_adapters=(adapter,))).values():
        assert "weights abababababab; news.txt; licence: CC-BY-4.0" in text


def test_a_gain_of_two_adapters_is_not_told_as_that_of_one(results: TransferResults) -> None:
    both = "language/sw-glossary > language/sw"
    cells = tuple(
        replace(cell, stack=f"{both} > task/topics") if (cell.language, cell.condition) == ("sw", "target") else cell
        for cell in results.cells
    )
    several = replace(results, cells=cells)
    for text in (*rendered(several).values(), spoken(several)):
        assert "own adapter (in Swahili together with a glossary)" in text
    alone = replace(
        several,
        cells=tuple(cell for cell in cells if cell.language == "sw"),
        comparisons=tuple(it for it in several.comparisons if it.language == "sw"),
    )
    assert f"{both} helps." in spoken(alone)
    assert "together with a glossary" not in spoken(results)


def test_the_most_frequent_label_has_a_column(results: TransferResults) -> None:
    text = render_markdown(replace(results, majority=(Majority(language="sw", accuracy=25.0),)))
    row = next(line for line in text.splitlines() if line.startswith("| Swahili · sw | 66.7"))
    assert row.endswith("| 25.0 |")
    assert "Most frequent label" not in render_markdown(results)


def test_a_report_without_comparisons_has_no_pictures(results: TransferResults, tmp_path: Path) -> None:
    bare = replace(results, comparisons=())
    folder = save_report(bare, tmp_path / "report")
    assert sorted(file.name for file in folder.iterdir()) == [
        "report.html",
        "report.md",
        "results.csv",
        "results.json",
    ]
    assert "<svg" not in (folder / "report.html").read_text()
    with pytest.raises(ConfigError):
        heatmap_svg(bare)


def test_pictures_survive_hostile_names_and_foreign_scripts(results: TransferResults) -> None:
    names = replace(hostile(results), metrics=("$x_{", "རྫོང་ཁ"))
    for drawing in (heatmap_svg(names), gains_svg(names)):
        tags = {element.tag.partition("}")[2] for element in ET.fromstring(drawing).iter()}  # noqa: S314
        assert tags <= {"svg", "title", "desc", "style", "text", "rect", "line", "circle", "polygon"}


def test_a_report_is_replaced_only_when_asked(results: TransferResults, tmp_path: Path) -> None:
    save_report(results, tmp_path)
    changed = replace(results, task="other task")
    with pytest.raises(ConfigError, match="already holds a report"):
        save_report(changed, tmp_path)
    assert load_results(tmp_path / "results.json") == results
    save_report(changed, tmp_path, overwrite=True)
    assert load_results(tmp_path / "results.json") == changed


@pytest.mark.parametrize("name", ["thesis.tex", "results.json", "report.md"])
def test_a_foreign_folder_is_left_as_it_is(results: TransferResults, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(ConfigError, match="holds"):
        save_report(results, tmp_path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == '{"mine": 1}'


def test_a_file_or_a_symlink_is_no_place_for_a_report(results: TransferResults, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(ConfigError, match="not a folder"):
            save_report(results, tmp_path / name, overwrite=True)


def test_results_that_cannot_be_shown_leave_the_old_report(results: TransferResults, tmp_path: Path) -> None:
    save_report(results, tmp_path / "report")
    with pytest.raises(ConfigError):
        save_report(replace(results, cells=()), tmp_path / "report", overwrite=True)
    assert load_results(tmp_path / "report" / "results.json") == results
    assert [entry.name for entry in tmp_path.iterdir()] == ["report"]


def test_what_is_printed_is_the_answer_and_a_table_of_all(results: TransferResults) -> None:
    said = spoken(replace(results, majority=(Majority(language="sw", accuracy=25.0),), limit=50)).splitlines()
    assert said[0].startswith("Average over 8 languages: 64.5 → 69.2, +4.7 points of accuracy")
    table = said[2:13]
    columns = [re.split(r" {3,}", line) for line in table]
    assert columns[0] == ["accuracy", "no adapter", "English adapter", "own adapter", "most frequent label"]
    assert columns[1] == ["Yoruba", "58.8", "59.3 (+0.5) ○", "70.1 (+11.3) ▲", "–"]
    assert [row[0] for row in columns[1:]] == [language_label(name) for name in Grid(results).in_order]
    assert columns[3][-1] == "25.0"
    assert len({line.index("○") for line in table[1:] if "(+0.5)" in line or "(−1.0)" in line}) == 1
    assert said[13] == "▲ helps, ▼ hurts, ○ no evidence"
    assert said[-1].startswith("Limited run: at most 50 test examples")
    assert max(map(len, said[2:14])) <= 100


def test_a_report_without_the_language_of_training_says_what_it_cannot_tell(results: TransferResults) -> None:
    told = "English (en), in which the task was trained, was not tested"
    assert told not in render_markdown(results)
    foreign = replace(
        results,
        cells=tuple(cell for cell in results.cells if cell.language != "en"),
        comparisons=tuple(it for it in results.comparisons if it.language != "en"),
    )
    assert told in plain_markdown(render_markdown(foreign))
    assert told not in plain_markdown(render_markdown(replace(foreign, adapters=())))


def plain_markdown(text: str) -> str:
    return text.replace("\\", "")
