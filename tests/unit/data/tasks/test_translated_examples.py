"""Which examples are translations of others."""

import pytest

from adaptkit.data.tasks import Example
from adaptkit.labelled import copies_of
from adaptkit.task_types import LabelledText, ScoredText, TaggedSentence


def topics(language: str | None, labels: str) -> list[Example]:
    return [LabelledText(text=f"{language} {n}", label=label, language=language) for n, label in enumerate(labels)]


def test_examples_of_another_language_with_the_same_labels_in_their_order_are_copies() -> None:
    english, swahili = topics(None, "abbac"), topics("sw", "abbac")
    assert copies_of([*english, *swahili]) == {5: 0, 6: 1, 7: 2, 8: 3, 9: 4}
    assert copies_of([*english, *topics("sw", "abbca")]) == {}
    assert copies_of([*english, *english]) == {}
    assert copies_of([english[0], swahili[0], *english[1:], *swahili[1:]]) == {}
    # Each is the copy of the same one in every language.
    assert copies_of([*english, *swahili, *topics("ha", "abbac")])[10] == 0


def test_copies_may_stand_among_other_examples_of_their_language() -> None:
    own, translated, english = topics("sw", "ccb"), topics("sw", "abbac"), topics("en", "abbac")
    assert copies_of([*own, *translated, *english]) == {3: 8, 4: 9, 5: 10, 6: 11, 7: 12}


@pytest.mark.parametrize(
    ("example", "same", "other"),
    [
        (
            TaggedSentence(words=("Amina", "eats"), tags=("B-PER", "O")),
            TaggedSentence(words=("Amina", "anakula"), tags=("B-PER", "O"), language="sw"),
            TaggedSentence(words=("anakula", "Amina"), tags=("O", "B-PER"), language="sw"),
        ),
        (
            ScoredText(text="good", score=0.5),
            ScoredText(text="nzuri", score=0.5, language="sw"),
            ScoredText(text="nzuri", score=0.25, language="sw"),
        ),
    ],
    ids=["tags", "scores"],
)
def test_all_but_texts_and_language_tells(example: Example, same: Example, other: Example) -> None:
    assert copies_of([example, same]) == {1: 0}
    assert copies_of([example, other]) == {}
