"""Lists with something else than text: every entrance names the place."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from adaptkit.data.corpus import open_corpus
from adaptkit.data.parallel import open_parallel
from adaptkit.data.tasks import TaskData
from adaptkit.errors import AdaptkitError, ConfigError, MalformedText
from adaptkit.evaluation.given import read_given
from adaptkit.labelled import ReadingOptions, examples_of, read_labelled
from adaptkit.model import AdaptedModel
from adaptkit.recipes.task import read_examples
from adaptkit.task_types import LabelledText, Question, TaggedSentence
from tests.calls import task_request
from tests.tiny import tiny_model

WRONG: dict[str, tuple[Any, str]] = {
    "None": (None, "None"),
    "NaN": (math.nan, "NaN"),
    "bytes": (b"text", "bytes"),
    "a number": (7, "int"),
    "half a pair": ("a\ud800", "half a surrogate pair"),
}
EACH = pytest.mark.parametrize(("value", "said"), WRONG.values(), ids=WRONG)


@pytest.fixture(scope="module")
def model() -> AdaptedModel:
    return tiny_model()


@EACH
def test_encode(value: object, said: str, model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match=f"row 2 of the texts is .*{said}"):
        model.encode(["fine", value])  # type: ignore[list-item]


@EACH
def test_text_and_translations(value: object, said: str) -> None:
    with pytest.raises(MalformedText, match=f"line 2: found .*{said}"):
        list(open_corpus(["fine", value]).lines())
    with pytest.raises(MalformedText, match=f"line 2: found .*{said}"):
        list(open_parallel([("fine", "njema"), ("fine", value)], target="sw").pairs())


@EACH
@pytest.mark.parametrize(
    "make",
    [
        lambda value: LabelledText(text=value, label="a"),
        lambda value: LabelledText(text="a", label=value),
        lambda value: TaggedSentence(words=("fine", value), tags=("O", "O")),
        lambda value: TaggedSentence(words=("fine", "good"), tags=("O", value)),
        lambda value: Question(id="1", question="who", context=value, answers=()),
    ],
    ids=["text", "label", "words", "tags", "context"],
)
def test_examples_and_data_made_by_hand(value: object, said: str, make: Callable[[Any], Any]) -> None:
    examples = [make("fine"), make(value)]
    data = TaskData(task_type="classification", examples=examples, labels=(), description="mine")
    readers: list[Callable[[], object]] = [
        lambda: read_labelled(examples),
        lambda: read_given({"sw": data}, ReadingOptions()),
        lambda: read_examples(task_request(task="t", data=data)),
    ]
    for read in readers:
        with pytest.raises(ConfigError, match=f"row 2 of the examples: .*{said}"):
            read()


@EACH
def test_inputs_of_predict(value: object, said: str) -> None:
    with pytest.raises(ConfigError, match="row 2 of the inputs"):
        examples_of("classification", ["fine", value])
    with pytest.raises(ConfigError, match=f"row 2 of the inputs: words.1. is .*{said}"):
        examples_of("tagging", [["a"], TaggedSentence(words=("fine", value), tags=())])  # type: ignore[arg-type]
    for inputs, task_type in (([("a", ["b", value])], "choice"), ([("a", value)], "qa"), ([["a", value]], "tagging")):
        with pytest.raises(AdaptkitError, match="row 1 of the inputs"):
            examples_of(task_type, inputs)


def test_a_pair_may_be_none() -> None:
    assert read_labelled([LabelledText(text="a", label="b"), LabelledText(text="a", pair=None, label="c")]).examples
