"""How explanations are shown: numbers without colours, colours that can be read, and nothing that steers a terminal."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from adaptkit.explanations import ExplainedWord, Explanation, LeftOut
from adaptkit.explanations.html import MOST_OPAQUE, background, explanation_html
from adaptkit.task_types import PredictedLabel
from adaptkit.terminal.colours import _contrast


def word(text: str, start: int, attribution: float, moved: float | None = 0.25) -> ExplainedWord:
    return ExplainedWord(
        text=text,
        side=0,
        start=start,
        end=start + len(text),
        attribution=attribution,
        changes={"language/sw": moved},
    )


FOUND = Explanation(
    task_type="classification",
    stack="language/sw > task/topics",
    texts=("Goats eat grass.",),
    answer=PredictedLabel("animals", {"animals": 0.93, "weather": 0.07}),
    said="animals (93 %)",
    target="animals",
    unit="log odds",
    score=2.59,
    difference=1.72,
    baseline="<mask>",
    steps=32,
    words=(word("Goats", 0, 1.5), word("eat", 6, 0.5), word("grass", 10, -0.25, None), word(".", 15, 0.0)),
    without={"language/sw": LeftOut(answer=PredictedLabel("weather", {}), said="weather (55 %)", score=-0.2)},
)
HOSTILE = '<script>alert("x")</script>\x1b[31m\u202e[bold]red'


def printed(found: Explanation, **options: object) -> str:
    console = Console(file=io.StringIO(), width=120, **options)  # type: ignore[arg-type]
    with console.capture() as captured:
        console.print(found)
    return captured.get()


def test_values_can_be_read_without_colours() -> None:
    assert str(FOUND).splitlines() == [
        "animals (93 %) by language/sw > task/topics",
        "log odds of animals: +2.59; the words bring +1.72 over <mask> in their places (gap 1.3 %, 32 steps)",
        "  Goats eat grass.",
        "word    adds  moved by language/sw",
        "Goats  +1.50                  25 %",
        "eat    +0.50                  25 %",
        "grass  -0.25                     –",
        ".       0.00                  25 %",
        "without language/sw: weather (55 %), -2.79 for animals",
    ]


def test_a_terminal_has_colours_and_none_where_none_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = printed(FOUND, force_terminal=True, color_system="truecolor")
    assert "\x1b[" in shown
    assert re.sub(r"\x1b\[[\d;]*m", "", shown).split() == str(FOUND).split()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "48;2" not in printed(FOUND, force_terminal=True, color_system="truecolor")


def test_show_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    FOUND.show()
    assert capsys.readouterr().out.split() == str(FOUND).split()


def test_gap_is_what_the_words_miss() -> None:
    assert FOUND.attributions == (1.5, 0.5, -0.25, 0.0)
    assert FOUND.gap == pytest.approx(0.03)
    assert FOUND.relative_gap == pytest.approx(0.03 / 2.25)
    nothing = replace(FOUND, words=(), difference=0.0)
    assert nothing.gap == nothing.relative_gap == 0


def test_json_has_all_of_it() -> None:
    found = json.loads(json.dumps(FOUND.as_json()))
    assert found["words"][0] == {
        "text": "Goats",
        "side": 0,
        "start": 0,
        "end": 5,
        "attribution": 1.5,
        "changes": {"language/sw": 0.25},
    }
    assert found["answer"]["label"] == "animals"
    assert found["without"]["language/sw"]["score"] == -0.2
    assert found["gap"] == pytest.approx(0.03)


def test_nothing_steers_a_terminal_or_a_page() -> None:
    found = replace(
        FOUND, texts=(HOSTILE,), words=(word(HOSTILE, 0, 1.0),), said=HOSTILE, target=HOSTILE, stack="task/topics"
    )
    for text in (str(found), explanation_html(found), printed(found)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "[bold]red" in str(found)
    assert "<script" not in explanation_html(found)
    assert "&lt;script&gt;" in explanation_html(found)


def test_a_page_colours_words_and_says_their_numbers() -> None:
    page = FOUND._repr_html_()
    assert page == explanation_html(FOUND)
    assert f'background:{background(1.5, 1.5)};border-radius:.2em;padding:.1em 0" title="+1.50">Goats<' in page
    assert "<td" in page
    assert "+0.50" in page


@pytest.mark.parametrize("attribution", [1.0, -1.0, 0.4, -0.4, 0.0])
@pytest.mark.parametrize(("page", "ink"), [((255, 255, 255), (0, 0, 0)), ((17, 17, 17), (255, 255, 255))])
def test_ink_can_be_read_on_every_colour_light_and_dark(
    attribution: float, page: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    red, green, blue, opaque = map(float, re.findall(r"[\d.]+", background(attribution, 1.0)))
    assert opaque <= MOST_OPAQUE
    mixed = [round(opaque * over + (1 - opaque) * under) for over, under in zip((red, green, blue), page, strict=True)]
    assert _contrast(ink, (mixed[0], mixed[1], mixed[2])) >= 4.5


def test_a_long_text_has_a_table_of_its_strongest_words() -> None:
    words = tuple(word(f"w{n}", 4 * n, n / 100) for n in range(100))
    found = replace(FOUND, texts=(" ".join(f"w{n}".ljust(3) for n in range(100)),), words=words)
    for text in (str(found), explanation_html(found)):
        assert "the 24 strongest of 100 words" in text
        assert "+0.99" in text
    assert "+0.75" not in str(found)
