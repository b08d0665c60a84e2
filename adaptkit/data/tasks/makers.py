"""From a record to an example of each task type; one without a usable label or answer is counted and gives None."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adaptkit.data.letters import normalized
from adaptkit.data.tasks.answers import BadAnswers, context_of, located, stated_answers
from adaptkit.data.tasks.examples import (
    Example,
    LabelledText,
    MultipleChoice,
    Question,
    SimilarPair,
    TaggedSentence,
    TaskType,
)
from adaptkit.data.tasks.nli import canonical_nli_label
from adaptkit.data.tasks.records import Record
from adaptkit.data.tasks.written_lists import BadList, looks_written, written_value

Dropped: TypeAlias = Counter[str]
Maker: TypeAlias = "Callable[[Record, LabelRules, Dropped], Example | None]"

NO_GOLD_MARKS = frozenset({"", "-"})
"""What SNLI and its kin write where the annotators did not agree."""

_NOTHING = frozenset({"nan", "NaN", "<NA>", "NaT", "#N/A"})
_A_LABEL = "a label; leave rows without one out"
_ASKED: Mapping[str, str] = {"cause": "What was the cause?", "effect": "What was the effect?"}
_CHOICES = ("first", "second")


@dataclass(frozen=True)
class LabelRules:
    """How labels are to be read.

    Attributes:
        allowed: the only labels that may occur; anything may if it is empty.
        names: what the numbers 0, 1, 2, ... stand for, where labels are stored as numbers.
        nli: every label is one of NLI in some spelling, or its number.
        score_range: the lowest and highest score of similarity.

    """

    allowed: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    nli: bool = False
    score_range: tuple[float, float] = (0.0, 1.0)


def make_text(record: Record, rules: LabelRules, dropped: Dropped) -> Example | None:
    """Make a text or pair with its label."""
    label = _label(record, rules, record.value("label"))
    if label is None:
        dropped["without a label"] += 1
        return None
    pair = record.text("pair").strip() if "pair" in record.columns else None
    language, group = _about(record)
    return LabelledText(text=record.text("text").strip(), pair=pair, label=label, language=language, group=group)


def make_sentence(record: Record, rules: LabelRules, dropped: Dropped) -> Example | None:
    """Make a sentence of tagged words."""
    words, tags = (_sequence(record, role) for role in ("words", "tags"))
    if len(words) != len(tags):
        raise record.wrong(f"{len(words)} words and {len(tags)} tags", "a tag for each word")
    if not words or not all(isinstance(word, str) and word for word in words):
        raise record.wrong("a sentence without words, or an empty word", "words as text")
    read = [_label(record, rules, tag) for tag in tags]
    known = tuple(tag for tag in read if tag is not None)
    if len(known) < len(read):
        dropped["without a tag for each word"] += 1
        return None
    language, group = _about(record)
    return TaggedSentence(words=tuple(map(str, words)), tags=known, language=language, group=group)


def make_question(record: Record, _: LabelRules, dropped: Dropped) -> Example | None:
    """Make a question; it is left out if it has answers and the context has none of them: that is not "no answer"."""
    context = context_of(record.text("context"))
    try:
        stated = stated_answers(record.value("answers"), record.value("starts") if record.has("starts") else None)
    except BadAnswers as error:
        raise record.wrong(str(error), "answers as in SQuAD: text and answer_start") from error
    if record.has("impossible") and record.value("impossible") is True:
        stated = []
    kept = located(context, stated)
    empty = sum(not text.strip() for text, _ in stated)
    missing = {"empty answers": empty, "answers not in their context": len(stated) - len(kept) - empty}
    dropped.update({reason: count for reason, count in missing.items() if count})
    if stated and not kept:
        dropped["questions left without an answer"] += 1
        return None
    language, group = _about(record)
    return Question(
        id=str(record.value("id")) if record.has("id") else str(record.number),
        question=record.text("question").strip(),
        context=context,
        answers=tuple(kept),
        language=language,
        group=group,
    )


def make_choice(record: Record, _: LabelRules, dropped: Dropped) -> Example | None:
    """Make a prompt with two choices; XCOPA's word for cause or effect becomes a question."""
    answer = record.number_of("answer")
    if answer == -1:
        dropped["without a label"] += 1
        return None
    if answer not in (0, 1):
        raise record.wrong(f"{answer:g} as the right choice", "0 for the first or 1 for the second")
    language, group = _about(record)
    choices = tuple(record.text(role).strip() for role in _CHOICES)
    return MultipleChoice(prompt=_prompt(record), choices=choices, answer=int(answer), language=language, group=group)


def make_similar(record: Record, rules: LabelRules, _: Dropped) -> Example | None:
    """Make a pair of sentences with a score from 0 to 1."""
    low, high = rules.score_range
    score = record.number_of("score")
    if not low <= score <= high:
        raise record.wrong(f"a score of {score:g}", f"{low:g} to {high:g} (another range: score_range=(low, high))")
    language, group = _about(record)
    first, second = record.text("first").strip(), record.text("second").strip()
    return SimilarPair(first=first, second=second, score=(score - low) / (high - low), language=language, group=group)


MAKERS: Mapping[TaskType, Maker] = {
    "classification": make_text,
    "tagging": make_sentence,
    "qa": make_question,
    "choice": make_choice,
    "similarity": make_similar,
}


def _about(record: Record) -> tuple[str | None, str | None]:
    return record.language(), record.optional_text("group")


def _prompt(record: Record) -> str:
    premise = record.text("prompt").strip()
    if not record.has("question"):
        return premise
    asked = record.text("question").strip()
    if asked not in _ASKED:
        raise record.wrong(f"{asked!r:.40} as the question", "cause or effect")
    return f"{premise} {_ASKED[asked]}"


def _label(record: Record, rules: LabelRules, value: object) -> str | None:
    """Give a label or tag as a word; None where there is none."""
    # A label that is stored in two forms looks like one and is one.
    word = normalized(_named(record, rules, value), "NFC")
    if word in NO_GOLD_MARKS:
        return None
    label = canonical_nli_label(word, numbers=True) if rules.nli else word
    if label is None or (rules.allowed and label not in rules.allowed):
        expected = ", ".join(rules.allowed) or "entailment, neutral or contradiction in any spelling"
        raise record.wrong(f"the label {word!r:.40}", expected)
    return label


def _named(record: Record, rules: LabelRules, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        if value.strip() in _NOTHING and value.strip() not in rules.allowed:
            raise record.wrong(f"the label {value.strip()!r}, which tables write where there is none", _A_LABEL)
        return value.strip()
    if isinstance(value, float) and math.isnan(value):
        raise record.wrong("NaN as the label", _A_LABEL)
    if not isinstance(value, int):
        raise record.wrong(f"a label of type {type(value).__name__}", "a word or a whole number")
    if not rules.names:
        return str(value)
    if not -1 <= value < len(rules.names):
        raise record.wrong(f"the label number {value}", f"0 to {len(rules.names) - 1}: {', '.join(rules.names)}")
    return "" if value == -1 else rules.names[value]


def _sequence(record: Record, role: str) -> Sequence[object]:
    value = record.value(role)
    if isinstance(value, str):
        if not looks_written(value):
            return value.split()
        try:
            value = written_value(value)
        except BadList as error:
            raise record.wrong(str(error), f"{role} as a list with commas, or text with spaces between") from error
    if not isinstance(value, list | tuple):
        raise record.wrong(f"{role} of type {type(value).__name__}", "a list, or text with spaces between")
    return value
