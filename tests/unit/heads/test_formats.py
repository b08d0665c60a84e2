import numpy as np
import pytest
import torch

from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError, UnknownLabel
from adaptkit.heads import format_of
from adaptkit.heads.batch import Batch
from adaptkit.heads.question_answering import QuestionAnswering
from adaptkit.labelled import examples_of
from adaptkit.model import AdaptedModel
from adaptkit.task_types import (
    IGNORED,
    HeadConfig,
    LabelledText,
    PredictedAnswer,
    PredictedTags,
    Question,
    TaggedSentence,
)
from tests.tolerance import rounded
from tests.unit.heads import examples as data

NER = HeadConfig(task_type="tagging", labels=("O", "B-PER"))
QA = HeadConfig(task_type="qa")


def test_a_pair_is_one_row_with_both_texts(model: AdaptedModel) -> None:
    head = HeadConfig(task_type="classification", labels=("yes", "no"), pairs=True)
    (item,) = format_of(model.backbone, head).items([LabelledText(text="The goat", pair="sleeps", label="no")])
    assert list(item.target) == [1]
    assert [row.tolist() for row in item.rows] == [model.backbone.tokenizer("The goat", "sleeps")["input_ids"]]


def test_a_label_that_the_head_does_not_have_is_refused(model: AdaptedModel) -> None:
    head = HeadConfig(task_type="classification", labels=("yes", "no"))
    with pytest.raises(UnknownLabel, match="maybe") as caught:
        format_of(model.backbone, head).items([LabelledText(text="The goat", label="maybe")])
    assert caught.value.labels == ("yes", "no")


def test_examples_of_another_type_are_refused(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="TaggedSentence"):
        format_of(model.backbone, NER).items([LabelledText(text="The goat", label="O")])


def test_only_first_tokens_of_words_are_trained_on(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, NER)
    (item,) = task_format.items([TaggedSentence(words=("Chausiku", "sleeps"), tags=("B-PER", "O"))])
    pieces = [
        len(model.backbone.tokenizer(word, add_special_tokens=False)["input_ids"]) for word in ("Chausiku", "sleeps")
    ]
    assert pieces[0] > 1
    assert item.places is not None
    assert item.places.tolist() == [1, 1 + pieces[0]]
    labels = task_format.labels([item], item.length + 3)
    assert labels[0, item.places].tolist() == [1, 0]
    assert (labels == IGNORED).sum() == item.length + 1


def test_words_beyond_the_length_are_outside(model: AdaptedModel) -> None:
    words = tuple("Chausiku" for _ in range(40))
    head_format = format_of(model.backbone, NER, max_length=16)
    sentence = TaggedSentence(words=words, tags=("B-PER",) * 40)
    (item,) = head_format.items([sentence])
    assert item.length <= 16
    outputs = torch.zeros(1, item.length, 2)
    outputs[..., 1] = 1.0
    (found,) = head_format.predictions([sentence], [item], [outputs])
    assert isinstance(found, PredictedTags)
    assert len(found.tags) == 40
    assert found.tags[: found.n_read] == ("B-PER",) * found.n_read
    assert set(found.tags[found.n_read :]) == {"O"}
    assert 0 < found.n_read < 40


CONTEXT = " ".join(f"Goat number {i} sleeps." for i in range(60)) + " Amina sold maize."
LONG = Question(id="a", question="Who sold maize?", context=CONTEXT, answers=(("Amina", CONTEXT.index("Amina")),))


def test_a_long_context_is_read_in_overlapping_windows(model: AdaptedModel) -> None:
    task_format = QuestionAnswering(model.backbone, QA, max_length=64, stride=16)
    items = task_format.items([LONG])
    assert len(items) > 2
    seen: set[int] = set()
    for item in items:
        assert item.places is not None
        assert item.length <= 64
        for start, end in item.places.reshape(-1, 2):
            seen |= set(range(start, end)) if start >= 0 else set()
    assert {number for number, letter in enumerate(CONTEXT) if letter != " "} <= seen
    targets = [item.target for item in items]
    assert targets.count((0, 0)) == len(items) - sum(target != (0, 0) for target in targets)
    assert any(target != (0, 0) for target in targets)


def test_windows_of_a_context_do_not_follow_from_its_neighbours(model: AdaptedModel) -> None:
    task_format = QuestionAnswering(model.backbone, QA, max_length=64, stride=16)
    asks_long = Question(id="b", question="Who sold maize at the market " * 12, context=CONTEXT, answers=())
    (alone, beside) = (
        [item.rows[0].tolist() for item in items if item.example == of]
        for items, of in ((task_format.items([LONG]), 0), (task_format.items([asks_long, LONG, asks_long]), 1))
    )
    assert alone == beside


def test_targets_point_at_the_answer(model: AdaptedModel) -> None:
    task_format = QuestionAnswering(model.backbone, QA, max_length=64, stride=16)
    for item in task_format.items([LONG]):
        first, last = map(int, item.target)
        if (first, last) != (0, 0):
            assert item.places is not None
            places = item.places.reshape(-1, 2)
            assert CONTEXT[places[first][0] : places[last][1]].strip() == "Amina"


def test_an_answer_is_read_back_from_its_tokens(model: AdaptedModel) -> None:
    task_format = QuestionAnswering(model.backbone, QA, max_length=64, stride=16)
    items = task_format.items([LONG])
    outputs = []
    for item in items:
        logits = torch.zeros(1, item.length, 2)
        if item.target != (0, 0):
            logits[0, int(item.target[0]), 0] = logits[0, int(item.target[1]), 1] = 5.0
        outputs.append(logits)
    (found,) = task_format.predictions([LONG], items, outputs)
    assert isinstance(found, PredictedAnswer)
    assert found.text == "Amina"
    assert found.n_best[0].start == CONTEXT.index("Amina")
    assert found.n_best[0].score == 10.0
    assert all(a.score >= b.score for a, b in zip(found.n_best, found.n_best[1:], strict=False))


def test_no_answer_only_where_the_head_knows_it(model: AdaptedModel) -> None:
    for allows in (False, True):
        head = HeadConfig(task_type="qa", allows_no_answer=allows)
        task_format = format_of(model.backbone, head)
        items = task_format.items([LONG])
        outputs = [torch.zeros(1, item.length, 2) for item in items]
        for output in outputs:
            output[0, 0] = 9.0
        (found,) = task_format.predictions([LONG], items, outputs)
        assert (found.text == "") is allows
        assert found.no_answer_score == 18.0


def test_an_answer_never_ends_before_it_starts_and_never_leaves_the_context(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, QA)
    question = Question(id="a", question="Who sold maize?", context="Amina sold maize.", answers=())
    items = task_format.items([question])
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        (found,) = task_format.predictions([question], items, [torch.randn(1, items[0].length, 2, generator=generator)])
        assert found.text
        assert found.text in question.context


def test_padding_cannot_be_an_answer(model: AdaptedModel) -> None:
    task_format = format_of(model.backbone, QA)
    outputs = torch.zeros(1, 6, 2, requires_grad=True)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
    loss = task_format.loss(outputs, Batch(ids=mask, mask=mask, labels=torch.tensor([[1, 2]])))
    assert loss.item() == rounded(np.log(4))
    loss.backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    assert torch.equal(outputs.grad[0, 4:], torch.zeros(2, 2))


def test_choices_compete_within_their_question(model: AdaptedModel) -> None:
    head = HeadConfig(task_type="choice")
    task_format = format_of(model.backbone, head)
    questions = data.choices(2)
    items = task_format.items(questions.examples)
    assert [len(item.rows) for item in items] == [2, 2]
    outputs = torch.tensor([[0.0], [2.0], [3.0], [0.0]])
    batch = Batch(ids=outputs, mask=outputs, labels=task_format.labels(items, 0), groups=(2, 2))
    expected = torch.stack(
        [torch.log1p(torch.exp(torch.tensor(-2.0))), torch.log1p(torch.exp(torch.tensor(-3.0)))]
    ).mean()
    torch.testing.assert_close(task_format.loss(outputs, batch), expected)
    assert [p.choice for p in task_format.predictions(questions.examples, items, torch.split(outputs, 2))] == [1, 0]


@pytest.mark.parametrize(
    ("task_type", "bad"),
    [
        ("classification", 3),
        ("tagging", "a sentence"),
        ("qa", "why"),
        ("choice", ("why", "because")),
        ("similarity", "a"),
    ],
)
def test_an_input_of_another_form_is_refused(task_type: str, bad: object) -> None:
    with pytest.raises(ConfigError, match="row 1 of the inputs is"):
        examples_of(task_type, [bad])


def test_one_string_is_no_list_of_inputs() -> None:
    with pytest.raises(ConfigError, match="found one string"):
        examples_of("classification", "The goat sleeps.")


ALL: list[TaskData] = [data.topics(), data.pairs(), data.tags(), data.questions(), data.choices(), data.similar()]


@pytest.mark.parametrize("made", ALL, ids=lambda made: str(made.description))
def test_items_number_their_examples_in_order(model: AdaptedModel, made: TaskData) -> None:
    labels = made.labels
    head = HeadConfig(task_type=made.task_type, labels=labels, pairs=made.description == "pairs")
    items = format_of(model.backbone, head).items(made.examples)
    numbers = [item.example for item in items]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(len(made.examples)))


@pytest.mark.parametrize(("pairs", "given"), [(False, ("The goat", "It sleeps.")), (True, "The goat")])
def test_pairs_and_single_texts_are_not_confused(model: AdaptedModel, pairs: bool, given: object) -> None:
    head = HeadConfig(task_type="classification", labels=("yes", "no"), pairs=pairs)
    with pytest.raises(ConfigError, match="this head is for"):
        format_of(model.backbone, head).items(examples_of("classification", [given]))


def test_spaces_at_the_edges_of_an_answer_are_no_part_of_it(model: AdaptedModel) -> None:
    context = "In the market Amina  sold maize."
    start = context.index(" Amina")
    spaced = Question(id="a", question="Who?", context=context, answers=((" Amina  ", start),))
    plain = Question(id="b", question="Who?", context=context, answers=(("Amina", start + 1),))
    first, second = format_of(model.backbone, QA).items([spaced, plain])
    assert first.target == second.target != (0, 0)


def test_a_window_is_trained_on_the_answer_that_it_holds(model: AdaptedModel) -> None:
    last = Question(
        id="a", question=LONG.question, context=CONTEXT, answers=(("Goat", 0), ("Amina", CONTEXT.index("Amina")))
    )
    targets = [item.target for item in QuestionAnswering(model.backbone, QA, max_length=64, stride=16).items([last])]
    assert targets[0] != (0, 0)
    assert targets[-1] != (0, 0)


@pytest.mark.parametrize("max_length", [16, 64, 128])
def test_a_long_question_leaves_room_for_the_context(model: AdaptedModel, max_length: int) -> None:
    question = Question(id="a", question="Who sold maize? " * 40, context=CONTEXT, answers=LONG.answers)
    items = format_of(model.backbone, QA, max_length=max_length).items([question])
    assert all(item.length <= max_length for item in items)
    seen = {n for item in items if item.places is not None for a, b in item.places.reshape(-1, 2) for n in range(a, b)}
    assert {number for number, letter in enumerate(CONTEXT) if letter != " "} <= seen


def test_words_and_tags_must_be_as_many(model: AdaptedModel) -> None:
    with pytest.raises(ConfigError, match="3 words and 1 tags"):
        format_of(model.backbone, NER).items([TaggedSentence(words=("a", "b", "c"), tags=("O",))])
