"""What is counted of each source, and of each two."""

import hashlib
from collections.abc import Sequence

import pytest

from adaptkit.data import fullness
from adaptkit.data.fullness import fullness_of, n_words
from adaptkit.data.sentence import Sentence
from adaptkit.data.survey import SharedLines, Survey


def surveyed(*sources: Sequence[str]) -> Survey:
    survey = Survey(len(sources))
    rows = [Sentence(text, part=part) for part, texts in enumerate(sources) for text in texts]
    assert list(survey.watched(iter(rows))) == rows
    return survey


def test_lines_of_two_sources_are_counted_by_pair() -> None:
    survey = surveyed(["a", "b", "c", "c"], ["d"], ["c", "a", "c"], ["a"])
    assert survey.shared() == (SharedLines(0, 2, 2), SharedLines(0, 3, 1), SharedLines(2, 3, 1))


def test_lines_in_two_normal_forms_are_one() -> None:
    assert surveyed(["\u1ecd\u0300"], ["o\u0323\u0300"]).shared() == (SharedLines(0, 1, 1),)


def test_sources_of_nothing_share_nothing() -> None:
    assert surveyed([], []).shared() == ()
    assert [source.lines for source in surveyed([], ["a"]).sources()] == [0, 1]


def test_sixty_four_sources_are_told_apart() -> None:
    assert surveyed(["a"], *[[str(n)] for n in range(62)], ["a"]).shared() == (SharedLines(0, 63, 1),)


def test_what_a_source_has() -> None:
    survey = Survey(1)
    rows = [Sentence("One two three four.", "Un."), Sentence("One two"), Sentence("Five words are in here!")]
    list(survey.watched(rows))
    (found,) = survey.sources()
    assert (found.lines, found.median_words, found.p90_words) == (3, 4.0, 4.8)
    assert found.full_sentences == pytest.approx(2 / 3, abs=1e-4)
    text = "One two three four.\tUn.\nOne two\nFive words are in here!\n"
    assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()


FULL = {
    "Latin": "The goat sleeps well.",
    "quoted": "He says: “The goat sleeps!”",
    "in brackets": "(The goat sleeps very well.)",
    "left open": "The goat sleeps and sleeps…",
    "Ethiopic": "ሰላም ለዓለም ቤት ነው።",
    "Arabic": "کیا یہ ایک جملہ ہے؟",
    "Devanagari": "यह एक छोटा वाक्य है।",
    "Chinese": "山羊今天睡得很好。",
    "Thai": "แพะนอนหลับสบายมาก",
    "Tibetan": "ར་མ་གཉིད་ཉལ་ཡོད་པ་རེད།",
    "Khmer": "ពពែកំពុងដេកលក់ស្រួល។",
}


@pytest.mark.parametrize("line", FULL.values(), ids=FULL)
def test_full_sentences_of_any_script(line: str) -> None:
    assert fullness_of(line).is_full


@pytest.mark.parametrize(
    "line", ["The goat sleeps well", "Goat.", "山羊。", "Read this: goats, eggs, and rain;", "", "..."]
)
def test_what_is_no_full_sentence(line: str) -> None:
    assert not fullness_of(line).is_full


@pytest.mark.parametrize(("line", "n"), [("two words", 2), ("山羊 睡", 3), ("GPS 山羊", 3), ("", 0), ("ɗan akuya", 2)])
def test_words_are_counted_and_where_there_are_no_spaces_letters(line: str, n: int) -> None:
    assert n_words(line) == fullness_of(line).n_words == n


def test_letters_of_a_script_without_spaces_are_looked_for_once_in_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    known = fullness._UNSPACED

    class Watched:
        def findall(self, line: str) -> list[str]:
            looked.append(line)
            return [str(letter) for letter in known.findall(line)]

    monkeypatch.setattr(fullness, "_UNSPACED", Watched())
    rows = [Sentence("Ƙwai biyu suna nan."), Sentence("The goat sleeps well.")]
    survey = Survey(1)
    assert [*survey.watched(rows)] == rows
    assert looked == ["Ƙwai biyu suna nan."]
    assert survey.sources()[0].full_sentences == 1.0
