"""Tuples and columns as labelled data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adaptkit.errors import ConfigError, MalformedText, SourceNotFound
from adaptkit.labelled import is_columns, is_tuples, read_labelled
from adaptkit.task_types import LabelledText, Question, ScoredText, SimilarPair, TaggedSentence

ONE = "The goat"


@pytest.mark.parametrize(
    ("row", "task_type", "example"),
    [
        ((ONE, "animals"), None, LabelledText(text=ONE, label="animals")),
        ((ONE, 1), None, LabelledText(text=ONE, label="1")),
        ((ONE, "It rains", "yes"), None, LabelledText(text=ONE, pair="It rains", label="yes")),
        ((ONE, 0.5), None, ScoredText(text=ONE, score=0.5)),
        ((ONE, np.float64(0.5)), "regression", ScoredText(text=ONE, score=0.5)),
        ((ONE, "It rains", 0.25), None, SimilarPair(first=ONE, second="It rains", score=0.25)),
        ((["Amina", "sleeps"], ["B-PER", "O"]), None, TaggedSentence(words=("Amina", "sleeps"), tags=("B-PER", "O"))),
    ],
)
def test_a_tuple_is_an_example_of_what_stands_in_it(
    row: tuple[Any, ...], task_type: str | None, example: object
) -> None:
    assert read_labelled([row], task_type=task_type).examples == [example]


def test_a_task_type_says_what_a_tuple_of_others_is() -> None:
    (question,) = read_labelled([("Who?", "Amina sleeps.", ["Amina"])], task_type="qa").examples
    assert isinstance(question, Question)
    assert question.question == "Who?"
    assert question.context == "Amina sleeps."


def test_several_labels() -> None:
    data = read_labelled([(ONE, ["animals", "farm"]), ("It rains", [])])
    assert data.task_type == "multilabel"
    assert data.labels == ("animals", "farm")


def test_columns_are_rows() -> None:
    columns = {"text": [ONE, "It rains"], "label": np.array([1, 0]), "language": ["en", "en"]}
    assert read_labelled(columns).examples == [
        LabelledText(text=ONE, label="1", language="en"),
        LabelledText(text="It rains", label="0", language="en"),
    ]


def test_columns_may_have_names_of_ones_own() -> None:
    data = read_labelled({"before": [ONE], "stars": [3]}, columns={"text": "before", "label": "stars"})
    assert data.examples == [LabelledText(text=ONE, label="3")]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([(ONE, "a"), (ONE, "b", "c")], "tuple 2 has 3 parts, and the first has 2"),
        ([(1, "a")], "is no example that is known by itself"),
        ([(ONE, "a", "b", "c")], "is no example that is known by itself"),
        ({"text": [ONE], "label": ["a", "b"]}, "several lengths: 'text' 1, 'label' 2"),
        ({"text": ONE, "label": ["a"]}, "the column 'text' is a str"),
    ],
)
def test_what_is_no_example_is_refused(source: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError, match=message):
        read_labelled(source)


def test_a_wrong_value_names_its_place() -> None:
    with pytest.raises(MalformedText, match="a list of tuples, line 2"):
        read_labelled([(ONE, "a"), (ONE, {1})])


def test_files_and_languages_stay_what_they_are(tmp_path: Path) -> None:
    file = tmp_path / "topics"
    file.write_text("text\tlabel\n", encoding="utf-8")
    assert not is_tuples([(str(file), file)])
    assert not is_tuples([("a.tsv", "b.tsv")])
    assert not is_columns({"sw": ["a.tsv"], "en": "b.tsv"}, {})
    with pytest.raises(SourceNotFound):
        read_labelled(["a.tsv", "b.tsv"])
