"""Examples that an adapter turned, in the report: which are chosen, what is said, and that none is shown unasked."""

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adaptkit
from adaptkit.errors import ConfigError
from adaptkit.evaluation import TransferReport
from adaptkit.evaluation.measured import Measured
from adaptkit.evaluation.metrics import task_metrics
from adaptkit.evaluation.report.html import render_html
from adaptkit.evaluation.report.markdown import render_markdown
from adaptkit.evaluation.report.results_file import load_results
from adaptkit.evaluation.results import TurnedExample
from adaptkit.evaluation.turned import Chosen, chosen_examples, in_words
from adaptkit.explanations import ExplainedWord
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.methods import LoraConfig
from adaptkit.requests import Measuring
from adaptkit.storage import Adapter
from adaptkit.task_types import HeadConfig, TaggedSentence
from tests.adapters import random_adapter
from tests.tiny import tiny_model
from tests.unit.evaluation.invented import invented_results
from tests.unit.heads import examples as data

LORA = LoraConfig(rank=2, alpha=4)
TOPICS = HeadConfig(task_type="classification", labels=("goats", "rain"))
SENTENCE = "The goat eats grass."
SHOWN = TurnedExample(
    language="sw",
    condition="target",
    turned="right",
    texts=("Goats <b>eat</b> | grass.",),
    gold="animals",
    before="weather",
    after="animals",
    seeds=2,
    target="animals",
    words=(ExplainedWord(text="Goats", side=0, start=0, end=5, attribution=1.5, changes={"language/sw": None}),),
)


def task(head: HeadConfig, seed: int = 1) -> Adapter:
    return random_adapter(tiny_model(), AdapterConfig(method=LORA, head=head), kind="task", name="topics", seed=seed)


def report(task: Adapter, test: Any, **measuring: Any) -> TransferReport:  # noqa: ANN401
    model = tiny_model()
    return adaptkit.evaluate(
        model,
        task="topics",
        adapter=task,
        languages=["sw"],
        data={"sw": test},
        zoo=[random_adapter(model, AdapterConfig(method=LORA))],
        source_language="en",
        compare=["none", "target"],
        measuring=Measuring(progress=False, precision="fp32", **measuring),
    )


def test_no_sentence_of_the_data_is_in_a_report_unasked(tmp_path: Path) -> None:
    found = report(task(TOPICS), data.topics(16), keep=str(tmp_path / "kept"))
    assert found.results.turned == ()
    found.save(tmp_path / "report")
    for path in [*(tmp_path / "report").iterdir(), *(tmp_path / "kept").iterdir()]:
        assert b"goat eats" not in path.read_bytes()
    assert Measuring().examples == 0


@pytest.mark.parametrize("explain", [False, True])
def test_turned_examples_are_as_predicted(tmp_path: Path, explain: bool) -> None:
    test = data.topics(16)
    # Nearly all of a random head's answers are one label; the test has both ways for one of these.
    found = report(task(TOPICS), test, examples=2, explain=explain)
    assert found.results.turned
    model, own = tiny_model(), task(TOPICS)
    model.attach(random_adapter(model, AdapterConfig(method=LORA)), own)
    for each in found.results.turned:
        (text,) = each.texts
        before, after = (model.predict([text], stack=s)[0].label for s in ("task/topics", "language/sw > task/topics"))
        assert (each.before, each.after) == (before, after)
        assert each.gold == next(example.label for example in test.examples if example.text == text)  # type: ignore[attr-defined]
        assert each.gold == (after if each.turned == "right" else before)
        assert bool(each.words) is explain
        assert each.target == (after if explain else "")
    n_turned = {way: sum(each.turned == way for each in found.results.turned) for way in ("right", "wrong")}
    assert max(n_turned.values()) <= 2
    found.save(tmp_path / "report")
    assert load_results(tmp_path / "report" / "results.json") == found.results


def test_the_first_word_whose_tag_was_turned_is_explained() -> None:
    own = task(HeadConfig(task_type="tagging", labels=("O", "B-PER", "I-PER")))
    model = tiny_model()
    model.attach(random_adapter(model, AdapterConfig(method=LORA)), own)
    given = data.tags(12)
    words = [list(example.words) for example in given.examples if isinstance(example, TaggedSentence)]
    # What is right is what one of the two answers.
    answers = [model.predict(words, stack=stack) for stack in ("task/topics", "language/sw > task/topics")]
    gold = [answers[number % 2][number].tags for number in range(len(words))]
    test = [TaggedSentence(words=tuple(each), tags=tags) for each, tags in zip(words, gold, strict=True)]
    found = report(own, replace(given, examples=test), examples=3, explain=True)
    assert {each.turned for each in found.results.turned} == {"right", "wrong"}
    for each in found.results.turned:
        before, after = each.before.split(), each.after.split()
        assert len(before) == len(after) == len(each.texts[0].split())
        place = next(number for number, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1])
        assert each.target == f"{after[place]} of {each.texts[0].split()[place]}"


def runs(*rights: list[int]) -> list[Measured]:
    """Measurements of seeds, by which examples are right."""
    return [Measured({"accuracy": np.array([[right, 1.0] for right in each])}, 0.0, 0) for each in rights]


def test_those_turned_in_most_seeds_come_first() -> None:
    metric = task_metrics(["accuracy"], TOPICS, "sw", data.topics(4).examples)["accuracy"]
    without, having = runs([0, 0, 1, 1, 0], [0, 0, 1, 0, 1]), runs([1, 1, 0, 1, 0], [0, 1, 0, 1, 1])
    assert chosen_examples(metric, "accuracy", without, having, 5) == [
        Chosen(1, "right", 2),
        Chosen(0, "right", 1),
        Chosen(2, "wrong", 2),
    ]
    assert chosen_examples(metric, "accuracy", without, having, 1) == [Chosen(1, "right", 2), Chosen(2, "wrong", 2)]


def test_a_sentence_without_entities_is_right_where_none_is_found() -> None:
    head = HeadConfig(task_type="tagging", labels=("O", "B-PER"))
    sentences = [TaggedSentence(words=("goats", "eat"), tags=("O", "O"))]
    metric = task_metrics(["entity F1"], head, "sw", sentences)["entity F1"]
    nothing = Measured({"entity F1": np.zeros((1, 3))}, 0.0, 0)
    something = Measured({"entity F1": np.array([[0.0, 1.0, 0.0]])}, 0.0, 0)
    assert chosen_examples(metric, "entity F1", [something], [nothing], 3) == [Chosen(0, "right", 1)]
    assert chosen_examples(metric, "entity F1", [nothing], [something], 3) == [Chosen(0, "wrong", 1)]


@pytest.mark.parametrize(
    ("value", "beside", "said"),
    [
        ("animals", "weather", "animals"),
        (("O", "B-PER"), ("O", "O"), "O B-PER"),
        (("in 1990", "1990"), "1990", "in 1990 / 1990"),
        ("", "x", "no answer"),
        ((), "x", "nothing"),
    ],
)
def test_answers_in_words(value: object, beside: object, said: str) -> None:
    assert in_words(value, beside) == said


def test_what_is_never_right_or_wrong_is_refused_before_anything_is_measured() -> None:
    with pytest.raises(ConfigError, match=r"gives a number.*leave examples out"):
        report(task(HeadConfig(task_type="similarity")), data.similar(), examples=2)
    with pytest.raises(ConfigError, match="examples=3 too"):
        Measuring(explain=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "captum.attr", None)
        with pytest.raises(ConfigError, match=r"adaptkit-nlp\[explain\]"):
            report(task(TOPICS), data.topics(16), examples=2, explain=True)


def test_a_page_and_markdown_show_them() -> None:
    plain = replace(SHOWN, turned="wrong", before="animals", after="weather", words=(), target="")
    results = replace(invented_results(), turned=(SHOWN, plain))
    page, markdown = render_html(results), render_markdown(results)
    assert "<h2>Examples that an adapter turned</h2>" in page
    assert "<h3>Swahili (sw), own adapter</h3>" in page
    assert "turned right in 2 of 3 seeds" in page
    assert "&lt;b&gt;eat&lt;/b&gt;" in page
    assert re.search(r'<span style="background:rgba[^>]*title="\+1.50">Goats</span>', page)
    assert "animals → weather; right is animals" in page
    assert "## Examples that an adapter turned" in markdown
    assert "- ▲ turned right in 2 of 3 seeds: weather → animals" in markdown
    assert "  - Goats &lt;b>eat&lt;/b> \\| grass." in markdown
    assert "  - for animals: Goats +1.50" in markdown
    assert "turned" not in render_markdown(invented_results())
