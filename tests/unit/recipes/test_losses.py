"""What of labelled examples is cut or left out is said before training and on the card."""

import json
import unicodedata
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import adaptkit
from adaptkit.data.tasks import TaskData
from adaptkit.errors import CheckpointError, ConfigError, EmptyCorpus
from adaptkit.model import AdaptedModel
from adaptkit.recipes.task import TaskTraining
from adaptkit.recipes.text import TextTraining
from adaptkit.storage import Adapter
from adaptkit.task_types import Question, TaggedSentence
from adaptkit.training import open_display
from tests.calls import language_request, task_request, train_adapter
from tests.runs import train_and_interrupt
from tests.unit.heads import examples as made

QUICK: dict[str, Any] = {"task": "trial", "max_steps": 2, "batch_size": 8, "progress": False}


def plan(model: AdaptedModel, data: TaskData, **options: Any) -> list[str]:  # noqa: ANN401 - arguments of train_adapter
    request = task_request(task="trial", data=data, backbone=model, progress=False, **options)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        return training.describe(training.estimate())


def trained(model: AdaptedModel, data: TaskData, **options: Any) -> Adapter:  # noqa: ANN401 - arguments of train_adapter
    return train_adapter(**QUICK, data=data, backbone=model, **options)


def with_long_answer(n_words: int, at: int = 0) -> TaskData:
    """Questions, of which one has a long answer."""
    data = made.questions()
    answer = " ".join(["maize"] * n_words)
    long = Question(id="long", question="What?", context=f"Sold: {answer}.", answers=((answer, 6),))
    return replace(data, examples=[*data.examples[:at], long, *data.examples[at + 1 :]])


def test_nothing_is_said_where_nothing_is_lost(model: AdaptedModel, tmp_path: Path) -> None:
    for data in (made.topics(), made.tags(), made.questions(unanswered=True), made.choices(), made.similar()):
        assert not [line for line in plan(model, data) if "cut" in line or "left out" in line]
    adapter = trained(model, made.questions(), output=tmp_path / "trial")
    assert adapter.card.losses == ()
    assert adapter.config.head is not None
    assert adapter.config.head.max_answer_tokens == 30
    assert json.loads((tmp_path / "trial" / "adaptkit.json").read_text())["format_version"] == 10


@pytest.mark.parametrize("name", ["topics", "pairs", "choices", "similar"])
def test_cut_texts_are_counted(model: AdaptedModel, name: str) -> None:
    data: TaskData = getattr(made, name)()
    field = {"topics": "text", "pairs": "pair", "choices": "prompt", "similar": "second"}[name]
    changed: dict[str, Any] = {field: "goat " * 40}
    long = [replace(example, **changed) for example in data.examples[:3]]
    some = replace(data, examples=[*long, *data.examples[3:]])
    share = f"3 of {len(data.examples)} ({3 / len(data.examples):.1%}) examples are cut at 32 tokens"
    assert f"data: {share} (max_length=... may be up to 140)" in plan(model, some, max_length=32)
    assert trained(model, some, max_length=32).card.losses == (share,)


def test_words_and_tags_behind_the_cut_are_counted(model: AdaptedModel) -> None:
    data = made.tags()
    long = TaggedSentence(words=("Amina",) * 40, tags=("B-PER", "O") * 20)
    some = replace(data, examples=[long, *data.examples[1:]])
    (item, *_) = items_of(model, some)
    assert item.places is not None
    read = len(item.places)
    (said,) = trained(model, some, max_length=24).card.losses
    lost, tags = 40 - read, sum(tag != "O" for tag in long.tags[read:])
    words = 40 + 5 * 59
    assert said == (
        f"1 of 60 (1.7%) examples are cut at 24 tokens, and with them {lost} of {words} ({lost / words:.1%}) words and "
        f"{tags} tags other than O"
    )


def items_of(model: AdaptedModel, data: TaskData) -> list[Any]:
    request = task_request(task="trial", data=data, backbone=model, progress=False, max_length=24)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        return list(training.items.items)


def test_questions_whose_answers_no_window_holds_are_left_out_and_counted(model: AdaptedModel) -> None:
    data = with_long_answer(60)
    said = (
        "1 of 60 (1.7%) answered questions are left out: no window of 64 tokens holds a whole answer, or the context "
        "does not"
    )
    assert f"data: {said} (max_length=... may be up to 140)" in plan(model, data, max_length=64)
    adapter = trained(model, data, max_length=64)
    assert adapter.card.losses == (said,)
    assert "Cut or left out: 1 of 60" in adapter.render_card()
    request = task_request(task="trial", data=data, backbone=model, progress=False, max_length=64)
    with open_display(shown=False) as display, closing(TaskTraining(request, display)) as training:
        assert 0 not in {item.example for item in training.items.items}


def test_where_no_question_is_left_the_reason_is_told(model: AdaptedModel) -> None:
    data = with_long_answer(60)
    none = replace(data, examples=[data.examples[0]] * 50)
    with pytest.raises(EmptyCorpus, match=r"no example is left.*50 of 50 \(100.0%\) answered questions are left out"):
        plan(model, none, max_length=64)


def test_answers_may_be_half_longer_than_the_longest_in_training(model: AdaptedModel, tmp_path: Path) -> None:
    data = with_long_answer(12)
    lines = plan(model, data)
    adapter = trained(model, data, output=tmp_path / "trial")
    assert adapter.config.head is not None
    bound = adapter.config.head.max_answer_tokens
    longest = next(n for n in range(1, 128) if n * 3 // 2 == bound)
    assert longest > 30
    assert f"answers: up to {bound} tokens (the longest in training has {longest})" in lines
    loaded = adaptkit.load_adapter(tmp_path / "trial")
    assert loaded.config == adapter.config
    assert f"answers of up to {bound} tokens" in loaded.render_card()
    assert json.loads((tmp_path / "trial" / "adaptkit.json").read_text())["format_version"] == 10


def test_the_bound_on_answers_is_an_option(model: AdaptedModel) -> None:
    adapter = trained(model, made.questions(), max_answer_tokens=3)
    assert adapter.config.head is not None
    assert adapter.config.head.max_answer_tokens == 3
    assert adapter.card.training is not None
    assert adapter.card.training.settings["max_answer_tokens"] == 3
    for wrong in (0, 4097):
        with pytest.raises(ConfigError, match=f"between 1 and 4,096, found {wrong}"):
            task_request(task="trial", data="x.json", max_answer_tokens=wrong)
    with pytest.raises(ConfigError, match="max_answer_tokens is for qa, and this is a head of classification"):
        plan(model, made.topics(), max_answer_tokens=40)
    with pytest.raises(ConfigError, match="max_answer_tokens does not go with a language adapter"):
        language_request(lang="sw", max_answer_tokens=40)


def text_plan(model: AdaptedModel, **options: Any) -> list[str]:  # noqa: ANN401 - arguments of train_adapter
    request = language_request(lang="sw", backbone=model, progress=False, force=True, **options)
    with open_display(shown=False) as display, closing(TextTraining(request, display)) as training:
        return training.describe(training.estimate())


def test_lines_are_cut_where_special_tokens_leave_no_room(model: AdaptedModel) -> None:
    line = " ".join(["goat"] * 15)
    (ids,) = model.backbone.tokenize([line])
    text = [line, *(["goat"] * 29)]
    shares = {}
    for max_length in (len(ids), len(ids) - 1):
        lines = text_plan(model, text=text, max_length=max_length)
        (said,) = [entry for entry in lines if "lines are cut" in entry and "unknown; " in entry]
        shares[max_length] = said.rpartition("; ")[2]
    assert shares == {len(ids): "0.0% of the lines are cut", len(ids) - 1: "3.3% of the lines are cut"}


def test_text_behind_the_budget_is_told_of(model: AdaptedModel) -> None:
    text = [f"goat {number}" for number in range(60)]
    n_tokens = sum(map(len, model.backbone.tokenize(text)))
    said = "text: what comes behind the first {:,} tokens is not read (max_tokens=...)"
    assert not [line for line in text_plan(model, text=text, max_tokens=n_tokens) if "behind" in line]
    assert said.format(n_tokens - 1) in text_plan(model, text=text, max_tokens=n_tokens - 1)


def test_pairs_that_are_skipped_or_cut_are_told_of(model: AdaptedModel) -> None:
    pairs = [(f"The goat sleeps {number}.", f"Mbuzi amelala {number}.") for number in range(40)]
    assert not [line for line in text_plan(model, parallel=pairs) if "skipped" in line or "are cut at" in line]
    broken = [*pairs, ("", "Mbuzi."), ("goat " * 80, "Mbuzi.")]
    lines = text_plan(model, parallel=broken, max_length=40)
    assert "text: 1 pair was skipped, because one side was empty" in lines
    assert "text: 1 of 41 (2.4%) translations are cut at 40 tokens" in lines


def yoruba(form: str) -> TaskData:
    """Questions in a normal form, a third of them without an answer."""
    assert form in ("NFC", "NFD")
    examples = []
    for i in range(60):
        name = ("Bọ́lá", "Adé", "Ọlá")[i % 3]
        context = unicodedata.normalize("NFC" if form == "NFC" else "NFD", f"Ní ọjà {i}, {name} ta ẹ̀wà.")
        own = unicodedata.normalize("NFC" if form == "NFC" else "NFD", name)
        answers = ((own, context.index(own)),) if i % 3 else ()
        examples.append(Question(id=str(i), question="Ta ni ó ta á?", context=context, answers=answers))
    return TaskData(task_type="qa", examples=examples, labels=(), description="ọjà")


def test_normalized_text_is_that_of_the_other_form(model: AdaptedModel) -> None:
    composed, decomposed = yoruba("NFC"), yoruba("NFD")
    assert trained(model, composed).card.text_sha256 != trained(model, decomposed).card.text_sha256
    adapter = trained(model, decomposed, normalize="NFC")
    assert adapter.card.text_sha256 == trained(model, composed).card.text_sha256
    assert adapter.card.training is not None
    assert adapter.card.training.settings["normalize"] == "NFC"


def test_a_run_is_resumed_in_its_own_form_only(model: AdaptedModel, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {
        "task": "trial",
        "data": made.questions(),  # the same in every form
        "backbone": model,
        "output": tmp_path / "trial",
        "max_steps": 20,
        "batch_size": 8,
        "progress": False,
    }
    train_and_interrupt(after=11, **arguments, normalize="NFC")
    with pytest.raises(CheckpointError, match="normalize was NFC, now None"):
        train_adapter(**arguments, resume=True)
    assert train_adapter(**arguments, normalize="NFC", resume=True).id == "task/trial"
