"""Letters with marks: answers that a tokenizer's offsets cut off, and windows that hold none."""

import itertools
import json
import unicodedata
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from adaptkit.backbones import Backbone
from adaptkit.heads import format_of
from adaptkit.heads.question_answering import QuestionAnswering
from adaptkit.model import AdaptedModel
from adaptkit.task_types import HeadConfig, Item, PredictedAnswer, Question
from adaptkit.task_types.question_answering import longest_answer
from tests.tiny import tiny_backbone

QA = HeadConfig(task_type="qa", allows_no_answer=True)
CONTEXT = "Ọjà náà wà ní ìlú Ọ̀yọ́, ó sì ń ṣí ní òwúrọ̀ ọjọ́ Ẹtì gan-an. Olùkọ́ náà fẹ́ràn ìwé púpọ̀ rárá."
ANSWERS = ("Ọ̀yọ́", "òwúrọ̀", "Ẹtì", "Olùkọ́", "ìwé púpọ̀", "Ọjà", "ó", "ń", "òwúrọ̀ ọjọ́ Ẹtì")


def asking(answer: str, form: str, context: str = CONTEXT) -> Question:
    assert form in ("NFC", "NFD")
    text, wanted = (unicodedata.normalize("NFC" if form == "NFC" else "NFD", part) for part in (context, answer))
    return Question(id="1", question="Kí ni?", context=text, answers=((wanted, text.index(wanted)),))


def without_marks() -> Backbone:
    """A backbone whose tokenizer drops marks, as those of many multilingual models do with some: no token has them."""
    backbone = tiny_backbone()
    content = json.loads(backbone.tokenizer.backend_tokenizer.to_str())
    content["normalizer"] = {"type": "StripAccents"}
    tokenizer: PreTrainedTokenizerFast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=Tokenizer.from_str(json.dumps(content)),
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
        eos_token="</s>",
    )
    return replace(backbone, tokenizer=tokenizer)


def read_back(backbone: Backbone, question: Question, items: list[Item]) -> PredictedAnswer:
    """The answer of a head that points at the targets."""
    outputs = []
    for item in items:
        logits = torch.full((1, item.length, 2), -5.0)
        logits[0, int(item.target[0]), 0] = logits[0, int(item.target[1]), 1] = 5.0
        outputs.append(logits)
    (found,) = format_of(backbone, QA).predictions([question], items, outputs)
    assert isinstance(found, PredictedAnswer)
    return found


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_with_marks_is_trained_and_read_back_whole(form: str, answer: str) -> None:
    for backbone in (tiny_backbone(), without_marks()):
        question = asking(answer, form)
        items = format_of(backbone, QA).items([question])
        assert all(item.target != (0, 0) for item in items)
        assert read_back(backbone, question, items).text == question.answers[0][0]


def test_the_embedded_tokenizer_has_a_place_for_every_mark(embedded_model: AdaptedModel) -> None:
    for form in ("NFC", "NFD"):
        questions = [asking(answer, form) for answer in ANSWERS]
        items = format_of(embedded_model.backbone, QA).items(questions)
        for question, item in zip(questions, items, strict=True):
            assert item.target != (0, 0)
            assert (
                read_back(embedded_model.backbone, question, [replace(item, example=0)]).text == question.answers[0][0]
            )


def test_an_answer_in_another_form_than_its_context_is_trained() -> None:
    backbone = tiny_backbone()
    (composed, decomposed) = (asking("púpọ̀", form) for form in ("NFC", "NFD"))
    crossed = replace(decomposed, answers=((composed.answers[0][0], decomposed.answers[0][1]),))
    task_format = format_of(backbone, QA)
    assert [item.target for item in task_format.items([crossed])] == [
        item.target for item in task_format.items([decomposed])
    ]


LONG = " ".join(f"Ewúrẹ́ {i} ń sùn." for i in range(40))


def test_an_answered_question_without_a_window_for_its_answer_is_not_trained_as_none() -> None:
    backbone = tiny_backbone()
    task_format = QuestionAnswering(backbone, QA, max_length=48, stride=8)
    too_long = Question(id="1", question="Kí ni?", context=LONG, answers=((LONG[10:300], 10),))
    nowhere = replace(too_long, id="2", answers=(("Òkò", 3),))
    unanswerable = replace(too_long, id="3", answers=())
    held = replace(too_long, id="4", answers=(("Ewúrẹ́ 20", LONG.index("Ewúrẹ́ 20")),))
    questions = [too_long, nowhere, unanswerable, held]
    items = task_format.items(questions)
    targets = {number: [item.target for item in items if item.example == number] for number in range(4)}
    assert set(targets[0]) == set(targets[1]) == {()}
    assert set(targets[2]) == {(0, 0)}
    assert sum(target != (0, 0) for target in targets[3]) >= 1
    assert () not in targets[3]
    assert QA.row.lost(QA, questions, items, max_length=48, scored=False) == [
        "2 of 3 (66.7%) answered questions are left out: no window of 48 tokens holds a whole answer, or the context "
        "does not"
    ]


def test_every_character_of_a_context_lies_in_the_reach_of_a_window() -> None:
    backbone = without_marks()
    context = "\u0301" + LONG + " ọjọ́"
    windows = backbone.tokenize_windows(["Kí ni?", "Ta ni?"], [context, "ọjọ́"], max_length=32, stride=8)
    own = [window for window in windows if window.text == 0]
    assert (own[0].reach[0], own[-1].reach[1]) == (0, len(context))
    assert all(before.reach[1] > after.reach[0] for before, after in itertools.pairwise(own))
    assert [window.reach for window in windows if window.text == 1] == [(0, 4)]


def test_the_longest_answer_is_bounded_by_the_head() -> None:
    backbone = tiny_backbone()
    text = " ".join(["púpọ̀"] * 20)
    question = asking(text, "NFC", f"Ó ta {text} ní ọjà.")
    items = format_of(backbone, QA).items([question])
    n_tokens = longest_answer(items)
    assert n_tokens > 60
    found = {}
    for bound in (n_tokens - 1, n_tokens):
        head = replace(QA, max_answer_tokens=bound)
        outputs = [torch.full((1, items[0].length, 2), -5.0)]
        first, last = map(int, items[0].target)
        outputs[0][0, first, 0] = outputs[0][0, last, 1] = 5.0
        (answer,) = format_of(backbone, head).predictions([question], items, outputs)
        found[bound] = answer.text == text
    assert found == {n_tokens - 1: False, n_tokens: True}


def test_a_question_that_is_cut_is_counted() -> None:
    backbone = tiny_backbone()
    asked = [
        Question(id=text, question=text, context="Ọjà.", answers=(("Ọjà", 0),)) for text in ("Kí ni? " * 20, "Kí ni?")
    ]
    items = format_of(backbone, QA, max_length=40).items(asked)
    assert QA.row.lost(QA, asked, items, max_length=40, scored=False) == [
        "1 of 2 (50.0%) questions are cut at 20 tokens"
    ]


@pytest.mark.parametrize("bound", [30, 40])
def test_windows_hold_every_answer_that_the_head_may_give(bound: int) -> None:
    """Wherever an answer of 40 tokens stands: with the usual overlap, some lie across two windows."""
    backbone = tiny_backbone()
    context = " ".join(str(number % 10) for number in range(300))  # two tokens each
    questions = [
        Question(id=str(at), question="Kí ni?", context=context, answers=((context[2 * at : 2 * at + 39], 2 * at),))
        for at in range(0, 260, 7)
    ]
    items = format_of(backbone, replace(QA, max_answer_tokens=bound), max_length=128).items(questions)
    assert longest_answer(items) == 40
    lost = {item.example for item in items if not item.target}
    assert bool(lost) == (bound < 40)
