"""Words and the part of speech of each, or any other label that every word has."""

from collections.abc import Sequence

from adaptkit.data.tasks import TaskData
from adaptkit.later import later
from adaptkit.scores import UNTAGGED, WordAccuracy, WordMacroF1
from adaptkit.task_types.classes import Classes
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.left_out import cut
from adaptkit.task_types.tagging import (
    PredictedTags,
    TaggedSentence,
    joined_words,
    make_sentence,
    plain_words,
    predicted_tags,
    right_tags,
    with_untagged,
    words_lost,
)
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import Asked, PlainReading, TaskType
from adaptkit.task_types.tensor_shapes import one_per_label, token_head


class _ReadingOfWords(PlainReading):
    """Words without a part of speech are told of, and what stands for it is no label."""

    def finished(self, data: TaskData, asked: Asked) -> TaskData:  # noqa: ARG002 - the contract of readings
        """With a note on them."""
        return with_untagged(data)


def _lost(
    _: HeadFields, examples: Sequence[TaggedSentence], items: Sequence[Item], /, *, max_length: int, scored: bool
) -> list[str]:
    words, __ = words_lost(examples, items)
    counted = ", which count as wrong" if scored else ""
    return cut(items, "examples", len(examples), max_length, f", and with them {words}{counted}")


def _unknown(head: HeadFields, examples: Sequence[TaggedSentence]) -> list[str]:
    return sorted({tag for example in examples for tag in example.tags} - {UNTAGGED, *head.labels})


def _told(head: HeadFields, examples: Sequence[TaggedSentence]) -> list[str]:
    unknown = ", ".join(_unknown(head, examples))
    return [f"words tagged {unknown} count as wrong: the task adapter was not trained on them."] if unknown else []


_Metric = TaskMetric[PredictedTags, TaggedSentence]


def _accuracy(_: HeadFields, __: str, ___: Sequence[TaggedSentence]) -> _Metric:
    return TaskMetric(WordAccuracy(), predicted_tags, right_tags)


def _macro_f1(head: HeadFields, _: str, examples: Sequence[TaggedSentence]) -> _Metric:
    return TaskMetric(WordMacroF1((*head.labels, *_unknown(head, examples))), predicted_tags, right_tags)


POS = TaskType(
    name="pos",
    hub_task="token-classification",
    title="parts of speech",
    example=TaggedSentence,
    columns={"words": ("words", "tokens"), "tags": ("upos", "pos", "pos_tags", "xpos", "tags")},
    from_lines=True,
    make=make_sentence,
    reading=_ReadingOfWords,
    plain=plain_words,
    plain_form="a list of words",
    of_line=str.split,
    endpoint="tag",
    texts=("words",),
    labels=("tags",),
    no_label=UNTAGGED,
    blank={"tags": ()},
    read_as=joined_words,
    least_labels=2,
    weighs_classes=True,
    unknown_labels="told",
    lost=_lost,
    ignored=_told,
    metrics={"accuracy": _accuracy, "macro F1": _macro_f1},
    default_metrics=("accuracy", "macro F1"),
    classes=Classes(
        metric=_macro_f1, counted="words", each="words", units=lambda tags: [tag or "not read" for tag in tags]
    ),
    transformers_class=later("transformers", "AutoModelForTokenClassification"),
    pipeline="token-classification",
    tensors=token_head(one_per_label),
    upper=later("adaptkit.heads.pos", "PartsOfSpeech"),
)
