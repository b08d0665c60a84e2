"""What of labelled examples is not read: texts that are too long, and answers that no window holds."""

from collections.abc import Sequence

from adaptkit.data.tasks import Example, Question, TaggedSentence
from adaptkit.heads.item import Item
from adaptkit.heads.question_answering import longest_answer

_OUTSIDE = "O"


def losses(examples: Sequence[Example], items: Sequence[Item], *, max_length: int, scored: bool = False) -> list[str]:
    """Say in a sentence each what was lost when examples became items of at most `max_length` tokens a row.

    In training, questions whose answer is lost are left out; where answers are `scored`, nothing is.
    """
    cut = {item.example for item in items if item.cut}
    what, limit = "examples", max_length
    if any(isinstance(example, Question) for example in examples):
        what, limit = "questions", max_length // 2
    found = [f"{_of(len(cut), len(examples))} {what} are cut at {limit} tokens{_words_lost(examples, items, scored)}"]
    return [*(found if cut else []), *_unplaced(examples, items, max_length, scored)]


def answers_above(bound: int, items: Sequence[Item]) -> list[str]:
    """Say how many questions have an answer of more tokens than a head gives."""
    questions = {item.example for item in items}
    above = {item.example for item in items if longest_answer([item]) > bound}
    if not above:
        return []
    return [
        f"the answers of {_of(len(above), len(questions))} questions are longer than the {bound} tokens that the head "
        "gives (max_answer_tokens=...)"
    ]


def _words_lost(examples: Sequence[Example], items: Sequence[Item], scored: bool) -> str:
    sentences = [example for example in examples if isinstance(example, TaggedSentence)]
    if not sentences:
        return ""
    read = [0 if item.places is None else len(item.places) for item in items]
    lost = sum(len(sentence.words) - n for sentence, n in zip(sentences, read, strict=True))
    tags = [tag for sentence, n in zip(sentences, read, strict=True) for tag in sentence.tags[n:] if tag != _OUTSIDE]
    of_words = _of(lost, sum(len(sentence.words) for sentence in sentences))
    counted = f"; {_OUTSIDE} is predicted for them" if scored else ""
    return f", and with them {of_words} words and {len(tags):,} tags other than {_OUTSIDE}{counted}"


def _unplaced(examples: Sequence[Example], items: Sequence[Item], max_length: int, scored: bool) -> list[str]:
    answered = {number for number, example in enumerate(examples) if isinstance(example, Question) and example.answers}
    lost = {item.example for item in items if not item.target} & answered
    if not lost:
        return []
    what = "cannot be answered rightly" if scored else "are left out"
    return [
        f"{_of(len(lost), len(answered))} answered questions {what}: no window of {max_length} tokens holds a whole "
        "answer, or the context does not"
    ]


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / max(whole, 1):.1%})"
