"""The page in a real browser, at the widths of a phone and of a desk."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.results import TransferResults
from adaptkit.terminal.colours import ON_PAPER
from tests.browser import DESK, HEIGHT, PHONE, browse, browse_page, measure, needs_browser
from tests.unit.evaluation.invented import with_classes

TARGET = ("target", "none")
pytestmark = needs_browser


def screenshot(page: str, folder: Path, width: int) -> NDArray[np.uint8]:
    browse_page(page, folder, width, f"--screenshot={folder / 'page.png'}")
    with Image.open(folder / "page.png") as picture:
        return np.asarray(picture.convert("RGB"))


def long_names(results: TransferResults) -> TransferResults:
    name = "language/" + "abcdefghij" * 30
    cells = tuple(replace(cell, stack=f"{name} > {cell.stack}") for cell in results.cells)
    changed = replace(results, task=name, backbone=name, adapters=(name, name), cells=cells, notes=(name,), limit=50)
    return replace(changed, environment={name: name})


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("names", ["plain", "long"])
def test_the_page_never_scrolls_sideways(results: TransferResults, tmp_path: Path, width: int, names: str) -> None:
    shown = with_classes(results) if names == "plain" else long_names(results)
    found = measure(render_html(shown), tmp_path, width)
    assert found.width == width
    assert found.scroll_width == width
    assert found.n_sticking_out == 0
    assert found.smallest_chart_text >= 10


def test_the_measure_can_fail(results: TransferResults, tmp_path: Path) -> None:
    wide = render_html(results).replace("<main>", '<main><p style="width:600px">wide</p>')
    found = measure(wide, tmp_path, PHONE)
    assert found.scroll_width > PHONE
    assert found.n_sticking_out > 0


def test_all_columns_of_two_conditions_show_on_a_phone(results: TransferResults, tmp_path: Path) -> None:
    only = replace(results, cells=tuple(cell for cell in results.cells if cell.condition in ("none", "target")))
    two = replace(only, comparisons=tuple(it for it in results.comparisons if (it.condition, it.against) == TARGET))
    two = with_classes(two)
    assert measure(render_html(two), tmp_path, PHONE).n_scrolling_boxes == 0
    wide = render_html(two).replace("<table", '<table style="width:600px"', 1)
    assert measure(wide, tmp_path, PHONE).n_scrolling_boxes == 1


def test_a_score_of_every_seed_is_read_on_a_phone(results: TransferResults, tmp_path: Path) -> None:
    """Its rows are blocks there, with the name of the column before each value."""
    page = render_html(results)
    assert 'data-column="Condition"' in page
    only_seeds = re.sub(
        r"<section(?!s).*?</section>", lambda it: it[0] if 'class="seeds' in it[0] else "", page, flags=re.S
    )
    assert measure(only_seeds, tmp_path, PHONE).n_scrolling_boxes == 0
    flat = only_seeds.replace(" stacked", "").replace("<table", '<table style="width:600px"')
    assert measure(flat, tmp_path, PHONE).n_scrolling_boxes == 1


def test_no_table_scrolls_on_a_desk(results: TransferResults, tmp_path: Path) -> None:
    assert measure(render_html(with_classes(results)), tmp_path, DESK).n_scrolling_boxes == 0


def test_ten_languages_under_three_conditions_print_on_three_pages(results: TransferResults, tmp_path: Path) -> None:
    file, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    file.write_text(render_html(with_classes(results)))
    browse(file.as_uri(), tmp_path, DESK, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
    assert len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) <= 3


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_screenshot_shows_text_and_both_ends_of_the_scale(
    results: TransferResults, tmp_path: Path, width: int
) -> None:
    pixels = screenshot(render_html(results), tmp_path, width)
    assert pixels.shape == (HEIGHT, width, 3)
    blank_rows = np.ptp(pixels.astype(int), axis=1).max(axis=1) == 0
    assert 0.1 < blank_rows.mean() < 0.8
    for end in (ON_PAPER[0], ON_PAPER[2]):
        assert (pixels == np.array(end, np.uint8)).all(axis=2).sum() > 50
