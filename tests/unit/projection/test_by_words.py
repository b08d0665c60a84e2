"""Labelled examples translated word by word."""

import json
import logging
from pathlib import Path

import pytest

import adaptkit
from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.task_types import (
    LabelledText,
    MultipleChoice,
    Question,
    ScoredText,
    SimilarPair,
    TaggedSentence,
    TextWithLabels,
)

# Each word comes back beside others, so that it is told what it goes with.
PAIRS = [
    ("The farmer sells maize.", "Mkulima anauza mahindi."),
    ("The farmer sells goats.", "Mkulima anauza mbuzi."),
    ("The teacher sells maize.", "Mwalimu anauza mahindi."),
    ("The teacher buys goats.", "Mwalimu ananunua mbuzi."),
    ("The farmer buys maize.", "Mkulima ananunua mahindi."),
] * 4


def test_each_known_word_stands_for_another_and_labels_stay() -> None:
    english = [
        LabelledText(text="Otieno sells maize, the farmer buys goats.", label="trade", language="en", group="news"),
        LabelledText(text="TEACHER", label="school"),
    ]
    found = adaptkit.translate_words(english, parallel=PAIRS, lang="sw")
    first, second = found.data.examples
    assert isinstance(first, LabelledText)
    assert isinstance(second, LabelledText)
    # A name has no entry and stays; marks stay where they are.
    assert first.text.startswith("Otieno anauza mahindi, ")
    assert first.text.endswith(" mkulima ananunua mbuzi.")
    assert (first.label, first.language, first.group) == ("trade", "sw", "news")
    assert second.text == "Mwalimu"
    assert (found.n_words, found.n_known) in {(8, 7), (8, 6)}
    assert found.data.labels == ("school", "trade")
    assert str(found).startswith("2 examples in sw: ")


def test_a_word_has_a_capital_where_the_one_it_stands_for_has_it_or_its_language_writes_it_so() -> None:
    german = [
        ("The farmer sells milk.", "Bauern verkaufen Milch."),
        ("A farmer has milk.", "Bauern haben Milch."),
        ("Milk is white.", "Milch ist weiß."),
    ] * 5
    data = [LabelledText(text="Milk for the farmer", label="a"), LabelledText(text="white MILK", label="b")]
    first, second = adaptkit.translate_words(data, parallel=german, lang="de").data.examples
    assert isinstance(first, LabelledText)
    assert isinstance(second, LabelledText)
    # "Bauern" stands at the start of sentences alone, so that its capital may be theirs; "Milch" has it inside too.
    assert first.text.startswith("Milch ")
    assert first.text.endswith(" bauern")
    assert second.text == "weiß Milch"


def test_regions_of_a_language_are_that_language() -> None:
    data = [
        LabelledText(text="maize", label="a", language="eng"),
        LabelledText(text="goats", label="b", language="en-GB"),
        LabelledText(text="mbuzi", label="b", language="sw"),
    ]
    american = adaptkit.Source(PAIRS, source_lang="en-US", licence="CC-BY-4.0")
    found = adaptkit.translate_words(data, parallel=american, lang="sw").data
    assert [each.text for each in found.examples if isinstance(each, LabelledText)] == ["mahindi", "mbuzi"]
    assert found.dropped == {"not in en": 1}
    assert found.description.endswith(" (en-US to sw), licence CC-BY-4.0")


def test_what_is_probably_wrong_with_the_text_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    thai = [("The farmer sells maize", "ชาวนาขายข้าวโพด"), ("The teacher buys some goats", "ครูซื้อแพะ")] * 5
    data = [LabelledText(text="farmer", label="a"), LabelledText(text="maize", label="b")]
    with caplog.at_level(logging.WARNING, logger="adaptkit"):
        (problem,) = adaptkit.translate_words(data, parallel=thai, lang="th").data.warnings
    assert problem.startswith("10 words in th stand for 45 of the other language, as without spaces between words")
    assert problem in caplog.text
    swapped = [(text, translation) for translation, text in adaptkit.sample_pairs("sw")]
    with pytest.raises(ConfigError, match="the two sides look swapped"):
        adaptkit.translate_words(data, parallel=swapped, lang="sw", least_score=1)
    rows = [json.dumps({"en": translation, "sw": text}) for translation, text in swapped]
    (tmp_path / "named.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (problem,) = adaptkit.translate_words(data, parallel=tmp_path / "named.jsonl", lang="sw").data.warnings
    assert "the two sides look swapped" in problem


def test_pairs_and_tagged_words_keep_their_places() -> None:
    pair = adaptkit.translate_words(
        [("maize", "goats", "neutral"), ("goats", "goats", "entailment")], parallel=PAIRS, lang="sw"
    )
    assert [(each.text, each.pair) for each in pair.data.examples if isinstance(each, LabelledText)] == [
        ("mahindi", "mbuzi"),
        ("mbuzi", "mbuzi"),
    ]
    # A name that is a word too stays.
    tagged = TaggedSentence(words=("Farmer", "sells", "goats", "."), tags=("B-PER", "O", "O", "O"))
    (sentence,) = adaptkit.translate_words([tagged], parallel=PAIRS, lang="sw").data.examples
    assert sentence == TaggedSentence(words=("Farmer", "anauza", "mbuzi", "."), tags=tagged.tags, language="sw")


@pytest.mark.parametrize(
    "examples",
    [
        [LabelledText(text="maize", label="a", group="x"), LabelledText(text="goats", label="b", group="x")],
        [
            LabelledText(text="maize", pair="goats", label="entailment"),
            LabelledText(text="a", pair="b", label="neutral"),
        ],
        [TaggedSentence(words=("Otieno", "sells"), tags=("B-PER", "O")), TaggedSentence(words=("goats",), tags=("O",))],
        [ScoredText(text="maize", score=0.5)],
        [SimilarPair(first="maize", second="goats", score=0.25)],
        [TextWithLabels(text="maize", labels=("a", "b")), TextWithLabels(text="goats", labels=())],
    ],
    ids=lambda examples: type(examples[0]).__name__,
)
def test_what_is_saved_is_read_as_the_same(examples: list[Example], tmp_path: Path) -> None:
    found = adaptkit.translate_words(examples, parallel=PAIRS, lang="sw")
    file = found.save(tmp_path / "sw.jsonl")
    assert file.read_text(encoding="utf-8").count("\n") == len(examples)
    read = adaptkit.read_labelled(file, task_type=found.data.task_type)
    assert list(read.examples) == list(found.data.examples)
    assert set(read.labels) == set(found.data.labels)
    with pytest.raises(ConfigError, match="is there already"):
        found.save(tmp_path / "sw.jsonl")
    assert adaptkit.read_labelled(found.save(tmp_path / "SW.NDJSON")).examples == read.examples
    with pytest.raises(ConfigError, match=r"JSON lines; name the file sw\.jsonl"):
        found.save(tmp_path / "sw.conll")


def test_a_file_is_read_and_other_languages_are_left_out(tmp_path: Path) -> None:
    rows = [
        {"body": "goats", "label": "a", "lang": "en"},
        {"body": "maize", "label": "b", "lang": "en"},
        {"body": "mbuzi", "label": "a", "lang": "sw"},
    ]
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = adaptkit.translate_words(tmp_path / "all.jsonl", parallel=PAIRS, lang="sw", columns={"text": "body"})
    assert [each.text for each in found.data.examples if isinstance(each, LabelledText)] == ["mbuzi", "mahindi"]
    assert found.data.dropped["not in en"] == 1


def test_a_source_from_another_language_teaches_nothing() -> None:
    english = [("goats", "a"), ("maize", "b")]
    french = adaptkit.Source([("chèvres", "mahindi")] * 9, source_lang="fr")
    both = adaptkit.translate_words(english, parallel=[french, adaptkit.Source(PAIRS, source_lang="en")], lang="sw")
    assert both.n_pairs == len(PAIRS)
    with pytest.raises(EmptyCorpus, match="language of the examples is en, and no source translates from it"):
        adaptkit.translate_words(english, parallel=french, lang="sw")


def test_what_cannot_be_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    question = Question(question="who?", context="goats", answers=(), language="en", id="1")
    choice = MultipleChoice(prompt="maize", choices=("goats", "farmer"), answer=0)
    for example in (question, choice):
        with pytest.raises(ConfigError, match="not translated by words"):
            adaptkit.translate_words([example], parallel=PAIRS, lang="sw")
    with pytest.raises(ConfigError, match="in en already"):
        adaptkit.translate_words([("goats", "a"), ("maize", "b")], parallel=PAIRS, lang="en")
    with pytest.raises(EmptyCorpus, match="no example in fr"):
        adaptkit.translate_words(
            [LabelledText(text="a", label="b", language="en")], parallel=PAIRS, lang="sw", source_lang="fr"
        )
    with pytest.raises(ConfigError, match="least_score"):
        adaptkit.translate_words([("goats", "a"), ("maize", "b")], parallel=PAIRS, lang="sw", least_score=2)
    with caplog.at_level(logging.WARNING, logger="adaptkit"):
        adaptkit.translate_words([("rain falls", "a"), ("roads are long", "b")], parallel=PAIRS, lang="sw")
    assert "give more parallel text" in caplog.text
