"""Small labelled data, written for the tests, that a tiny backbone can learn."""

from dataclasses import replace
from itertools import cycle

from adaptkit.data.tasks import TaskData
from adaptkit.task_types import LabelledText, MultipleChoice, Question, SimilarPair, TaggedSentence, TextWithLabels

_TOPICS = {
    "goats": ["The goat eats grass.", "Two goats sleep here.", "Goats drink at the well.", "My goat is brown."],
    "rain": ["Rain fells the maize.", "It rains all night.", "The rain stops at noon.", "Rain fills the barrel."],
}


def topic_texts(n: int = 80) -> list[LabelledText]:
    return [
        LabelledText(text=f"{texts[i % 4]} {i}", label=label, language=("en", "sw")[i % 2])
        for label, texts in _TOPICS.items()
        for i in range(n // 2)
    ]


def topics(n: int = 80) -> TaskData:
    examples = topic_texts(n)
    return TaskData(task_type="classification", examples=examples, labels=("goats", "rain"), description="topics")


def topic_sets(n: int = 80) -> TaskData:
    sets: list[tuple[str, ...]] = [("goats", "rain"), ("goats",), ()]
    examples = [
        TextWithLabels(text=" ".join([*(_TOPICS[label][i % 4] for label in labels), str(i)]), labels=labels)
        for i, labels in zip(range(n), cycle(sets), strict=False)
    ]
    return TaskData(task_type="multilabel", examples=examples, labels=("goats", "rain"), description="topics")


def topics_and_others() -> dict[str, TaskData]:
    """Examples, and the same with other labels to measure on, which no regression of the first answers."""
    data, others = topics(), {"goats": "rain", "rain": "goats"}
    wrong = [replace(example, label=others[example.label]) for example in topic_texts()]
    return {"data": data, "dev": replace(data, examples=wrong)}


def pairs(n: int = 60) -> TaskData:
    examples = [
        LabelledText(
            text="The goat sleeps.", pair=("It sleeps.", "It runs.")[i % 2] + f" {i}", label=("yes", "no")[i % 2]
        )
        for i in range(n)
    ]
    return TaskData(task_type="classification", examples=examples, labels=("yes", "no"), description="pairs")


def tags(n: int = 60) -> TaskData:
    names = ["Amina", "Baraka", "Chausiku"]
    examples = [
        TaggedSentence(words=("yesterday", names[i % 3], "sold", "maize", str(i)), tags=("O", "B-PER", "O", "O", "O"))
        for i in range(n)
    ]
    return TaskData(task_type="tagging", examples=examples, labels=("O", "B-PER", "I-PER"), description="tags")


def parts_of_speech(n: int = 60) -> TaskData:
    tagged = tags(n)
    said = ("ADV", "PROPN", "VERB", "NOUN", "_")
    examples = [TaggedSentence(words=each.words, tags=said) for each in tagged.examples if hasattr(each, "words")]
    return replace(tagged, task_type="pos", examples=examples, labels=("ADV", "NOUN", "PROPN", "VERB"))


def questions(n: int = 60, *, unanswered: bool = False) -> TaskData:
    examples = []
    for i in range(n):
        name = ("Amina", "Baraka", "Chausiku")[i % 3]
        context = f"In week {i} there was a market. {name} sold maize there."
        answers = () if unanswered and i % 3 == 0 else ((name, context.index(name)),)
        examples.append(Question(id=str(i), question="Who sold maize?", context=context, answers=answers))
    return TaskData(task_type="qa", examples=examples, labels=(), description="questions")


def choices(n: int = 60) -> TaskData:
    examples = [
        MultipleChoice(
            prompt=f"It rains. Why {i}?",
            choices=("The clouds are full.", "The goat sleeps.")
            if i % 2
            else ("The goat sleeps.", "The clouds are full."),
            answer=0 if i % 2 else 1,
        )
        for i in range(n)
    ]
    return TaskData(task_type="choice", examples=examples, labels=(), description="choices")


def similar(n: int = 60) -> TaskData:
    examples = [
        SimilarPair(
            first=f"The goat sleeps. {i}", second=("The goat rests.", "Rain fell.")[i % 2], score=float(1 - i % 2)
        )
        for i in range(n)
    ]
    return TaskData(task_type="similarity", examples=examples, labels=(), description="similar")
