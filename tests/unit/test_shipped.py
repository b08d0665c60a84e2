"""The README and its figure show what the cards of the zoo say."""

import xml.etree.ElementTree as ET

from tools.shipped import FIGURE, README, figure, shipped, table, written

STALE = "write it again: python -m tools.shipped"


def test_the_table_and_the_figure_are_what_the_cards_say() -> None:
    page = README.read_text(encoding="utf-8")
    assert page == written(page), STALE
    assert FIGURE.read_text(encoding="utf-8") == figure(), STALE


def test_every_adapter_with_a_score_has_a_row_and_every_language_its_bars() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == len(shipped()) >= 10
    bars = ET.fromstring(figure()).findall("{*}rect")  # noqa: S314 - our own
    n_languages = sum(it.id.startswith("language/") for it in shipped())
    assert len(bars) == 3 + 2 * n_languages


def test_the_first_sentence_of_the_readme_is_what_the_cards_say() -> None:
    first = README.read_text(encoding="utf-8").split("\n\n")[1]
    scores = {it.id: it.score for it in shipped()}
    for name in ("language/ha", "language/dz"):
        for value in (scores[name].score_without, scores[name].score_with):
            assert str(round(value)) in first


def test_the_figure_is_read_on_a_phone() -> None:
    """A phone of 390 pixels leaves 358 to it; nothing is cut there, and no text is below 9 pixels."""
    drawn = ET.fromstring(figure())  # noqa: S314 - our own
    width = float(drawn.attrib["viewBox"].split()[2])
    assert 12 * 358 / width >= 9
    ends = [float(it.attrib.get("x", 0)) + float(it.attrib["width"]) for it in drawn.findall("{*}rect")]
    assert max(ends) <= width
