"""Answers in one normal form and contexts in another."""

import unicodedata
from pathlib import Path

import pytest

from adaptkit.data.tasks import TaskData
from adaptkit.data.tasks.answer_spans import located
from adaptkit.labelled import normalized_data, read_labelled
from adaptkit.task_types import LabelledText, MultipleChoice, Question, SimilarPair, TaggedSentence

CONTEXT = "Bọ́lá ta ẹ̀wà ní Ọ̀yọ́. Adé náà ta ẹ̀wà púpọ̀."


def in_form(form: str, text: str) -> str:
    assert form in ("NFC", "NFD")
    return unicodedata.normalize("NFC" if form == "NFC" else "NFD", text)


@pytest.mark.parametrize("form_of_context", ["NFC", "NFD"])
@pytest.mark.parametrize("form_of_answer", ["NFC", "NFD"])
@pytest.mark.parametrize("form_of_start", ["NFC", "NFD"])
@pytest.mark.parametrize("answer", ["Bọ́lá", "Ọ̀yọ́", "ẹ̀wà púpọ̀", "púpọ̀"])
def test_an_answer_is_found_in_any_form(
    answer: str, form_of_context: str, form_of_answer: str, form_of_start: str
) -> None:
    context, own = in_form(form_of_context, CONTEXT), in_form(form_of_context, answer)
    stated = in_form(form_of_start, CONTEXT).index(in_form(form_of_start, answer))
    assert located(context, [(in_form(form_of_answer, answer), stated)]) == [(own, context.index(own))]


def test_a_start_that_was_counted_in_another_form_chooses_among_several_places() -> None:
    """Where letters have many marks, the nearest place is another one."""
    composed, decomposed = (in_form(form, "ẹ̀wà ẹ̀wà ẹ̀wà ẹ̀wà ẹ̀wà ẹ̀wà ẹ̀wà") for form in ("NFC", "NFD"))
    own, other = in_form("NFC", "ẹ̀wà"), in_form("NFD", "ẹ̀wà")
    for number in range(7):
        place, elsewhere = number * (len(own) + 1), number * (len(other) + 1)
        assert located(decomposed, [(other, place)]) == [(other, elsewhere)]
        assert located(decomposed, [(own, place)]) == [(other, elsewhere)]
        assert located(composed, [(own, elsewhere)]) == [(own, place)]


@pytest.mark.parametrize(("ours", "theirs"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_answer_in_another_form_with_a_start_that_is_off_goes_to_the_nearest_place(ours: str, theirs: str) -> None:
    context, own = in_form(ours, CONTEXT), in_form(ours, "ẹ̀wà")
    places = [context.index(own), context.rindex(own)]
    for place in places:
        for off in (-2, 1):
            assert located(context, [(in_form(theirs, "ẹ̀wà"), place + off)]) == [(own, place)]


def test_what_is_written_otherwise_is_not_found() -> None:
    assert located(in_form("NFD", CONTEXT), [("Oyo", 16), ("ọ̀yọ̀", 16), (" ", 3), ("", 0)]) == []


def test_examples_are_normalized_with_their_answers() -> None:
    composed = Question(
        id="1", question="Ta ni Bọ́lá?", context=CONTEXT, answers=(("púpọ̀", CONTEXT.index("púpọ̀")), ("Òkò", 3))
    )
    (found,) = normalized_data(data("qa", composed), "NFD").examples
    assert isinstance(found, Question)
    assert (found.question, found.context) == (in_form("NFD", composed.question), in_form("NFD", CONTEXT))
    assert [(text, found.context[start : start + len(text)]) for text, start in found.answers] == [
        (in_form("NFD", "púpọ̀"), in_form("NFD", "púpọ̀"))
    ]
    (back,) = normalized_data(data("qa", found), "NFC").examples
    assert isinstance(back, Question)
    assert back.answers == composed.answers[:1]


def test_a_question_whose_answer_is_nowhere_does_not_become_unanswerable() -> None:
    lost = Question(id="1", question="Ta ni?", context=CONTEXT, answers=(("Òkò", 3),))
    (found,) = normalized_data(data("qa", lost), "NFD").examples
    assert isinstance(found, Question)
    assert found.answers == lost.answers


def test_labels_in_two_forms_are_one() -> None:
    made = data(
        "classification",
        LabelledText(text="ọjà", label=in_form("NFC", "ìròyìn")),
        LabelledText(text="ọjà", pair=None, label=in_form("NFD", "ìròyìn")),
        labels=(in_form("NFC", "ìròyìn"), in_form("NFD", "ìròyìn"), "iṣẹ́"),
    )
    found = normalized_data(made, "NFC")
    assert found.labels == (in_form("NFC", "ìròyìn"), in_form("NFC", "iṣẹ́"))
    assert {example.label for example in found.examples if isinstance(example, LabelledText)} == {found.labels[0]}


def test_a_label_stored_in_two_forms_is_one_class(tmp_path: Path) -> None:
    (composed, decomposed) = (in_form(form, "ìròyìn") for form in ("NFC", "NFD"))
    examples = [LabelledText(text="ọjà", label=label) for label in (composed, decomposed, "iṣẹ́")]
    file = tmp_path / "topics.tsv"
    file.write_text("text\tlabel\n" + "".join(f"{example.text}\t{example.label}\n" for example in examples))
    for source in (examples, file):
        for given in ((), (decomposed, "iṣẹ́")):
            found = read_labelled(source, labels=given)
            assert set(found.labels) == {composed, in_form("NFC", "iṣẹ́")}
            assert [example.label for example in found.examples if isinstance(example, LabelledText)][:2] == [
                composed
            ] * 2
    tags = [TaggedSentence(words=("a", "b"), tags=(in_form(form, "B-ÌLÚ"), "O")) for form in ("NFC", "NFD")]
    assert read_labelled(tags).labels == ("O", in_form("NFC", "B-ÌLÚ"))


def test_answers_of_examples_are_those_of_their_context() -> None:
    context = in_form("NFD", CONTEXT)
    asked = Question(id="1", question="Ta ni?", context=context, answers=((in_form("NFC", "Bọ́lá"), 0),))
    lost = Question(id="2", question="Ta ni?", context=context, answers=(("Òkò", 0),))
    assert [example.answers for example in read_labelled([asked, lost]).examples if isinstance(example, Question)] == [
        ((in_form("NFD", "Bọ́lá"), 0),),
        (("Òkò", 0),),
    ]


def test_texts_of_every_type_are_normalized() -> None:
    word, other = in_form("NFC", "ọjọ́"), in_form("NFD", "ọjọ́")
    made = [
        LabelledText(text=word, pair=word, label=word),
        TaggedSentence(words=(word, "a"), tags=("O", "O")),
        MultipleChoice(prompt=word, choices=(word, "a"), answer=0),
        SimilarPair(first=word, second=word, score=1.0),
    ]
    for example in made:
        (found,) = normalized_data(data("classification", example), "NFD").examples
        assert repr(found) == repr(example).replace(word, other)
        assert normalized_data(data("classification", example), None).examples == [example]


def data(task_type: str, *examples: object, labels: tuple[str, ...] = ()) -> TaskData:
    return TaskData(task_type=task_type, examples=list(examples), labels=labels, description="made")  # type: ignore[arg-type]
