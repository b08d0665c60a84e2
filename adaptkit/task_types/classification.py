"""A text, or a pair of texts, and its label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from adaptkit.data.tasks import NLI_LABELS, TaskData, canonical_nli_label
from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about, label_of
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.scores import Accuracy, MacroF1
from adaptkit.task_types.classes import Classes
from adaptkit.task_types.columns import FIRST, SECOND
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.means import mean_by_name
from adaptkit.task_types.plain_texts import plain_texts
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import Asked, PlainReading, TaskType
from adaptkit.task_types.tensor_shapes import one_per_label, sentence_head
from adaptkit.terminal.asking import as_typed

FORMS_OF_TEXT = (*FIRST, "text", "sentence", "tweet", "content")
"""What the column of a text is called."""

_INFERENCE = {"entailment", "contradiction"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text, or a pair of texts, with a label. `language` and `group` (a genre, a domain) may be unknown."""

    text: str
    pair: str | None = None
    label: str
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class PredictedLabel:
    """The label with the largest probability, and all probabilities."""

    label: str
    probabilities: Mapping[str, float]

    @classmethod
    def of(cls, probabilities: Mapping[str, float]) -> Self:
        """The first label of the largest."""
        return cls(max(probabilities, key=probabilities.__getitem__), probabilities)

    @classmethod
    def averaged(cls, answers: "Sequence[PredictedLabel]") -> Self:
        """What several say of one text, by the means of their probabilities."""
        return cls.of(mean_by_name([answer.probabilities for answer in answers]))


class _ReadingOfInference(PlainReading):
    """Labels of text pairs become NLI's words where each is such a word in some spelling."""

    def finished(self, data: TaskData, asked: Asked) -> TaskData:
        """With those words, unless labels were given or they are to stay as they are."""
        return data if asked.labels or asked.nli is not None else _with_nli_words(data)


def _make(row: LabelledRow, rules: LabelRules, dropped: Dropped) -> LabelledText | None:
    label = label_of(row, rules, row.value("label"))
    if label is None:
        dropped["without a label"] += 1
        return None
    pair = row.text("pair").strip() if "pair" in row.columns else None
    language, group = about(row)
    return LabelledText(text=row.text("text").strip(), pair=pair, label=label, language=language, group=group)


def _plain(_: int, given: object) -> LabelledText | None:
    if one := plain_texts(given, 1):
        return LabelledText(text=one[0], label="")
    pair = plain_texts(given, 2)
    return LabelledText(text=pair[0], pair=pair[1], label="") if pair else None


def _settled(example: LabelledText, rules: LabelRules) -> LabelledText:
    """A label of NLI in any spelling, or its number, as its word; another stays, and is refused."""
    if not rules.nli:
        return example
    return replace(example, label=canonical_nli_label(example.label, numbers=True) or example.label)


def _with_nli_words(data: TaskData) -> TaskData:
    pairs = [example for example in data.examples if isinstance(example, LabelledText) and example.pair is not None]
    words = {label: canonical_nli_label(label) for label in data.labels}
    if len(pairs) < len(data.examples) or None in words.values():
        return data
    examples = [replace(example, label=words[example.label] or example.label) for example in pairs]
    return replace(data, examples=examples, labels=NLI_LABELS)


def _head_fields(data: TaskData) -> Mapping[str, object]:
    pairs = any(isinstance(example, LabelledText) and example.pair is not None for example in data.examples)
    if not pairs and _INFERENCE.issubset(label.lower() for label in data.labels):
        raise ConfigError(
            f"{data.description} has the labels of inference, {', '.join(data.labels)}, and one text in each row, "
            f"where inference compares two. Name the second one's column: {as_typed(columns={'pair': ...})}."
        )
    return {"pairs": pairs}


def form(head: HeadFields) -> str:
    """Of examples that may have one text or two: a second one whose column was not recognised is missed here."""
    return " (pairs of texts)" if head.pairs else " (single texts)"


def _predicted(prediction: PredictedLabel) -> str:
    return prediction.label


def _right(example: LabelledText) -> str:
    return example.label


def _accuracy(_: HeadFields, __: str, ___: Sequence[LabelledText]) -> TaskMetric[PredictedLabel, LabelledText]:
    return TaskMetric(Accuracy(), _predicted, _right)


def _macro_f1(head: HeadFields, _: str, __: Sequence[LabelledText]) -> TaskMetric[PredictedLabel, LabelledText]:
    return TaskMetric(MacroF1(head.labels), _predicted, _right)


CLASSIFICATION = TaskType(
    name="classification",
    hub_task="text-classification",
    example=LabelledText,
    columns={
        "text": FORMS_OF_TEXT,
        "pair": SECOND,
        # SICK's entailment_label goes before any other label.
        "label": ("entailment_label", "gold_label", "label", "category", "class"),
    },
    optional=frozenset({"pair"}),
    make=_make,
    reading=_ReadingOfInference,
    plain=_plain,
    plain_form="a text, or a pair of texts",
    texts=("text", "pair"),
    labels=("label",),
    blank={"label": ""},
    settled=_settled,
    least_labels=2,
    weighs_classes=True,
    reads_glosses=True,
    averaged=PredictedLabel.averaged,
    head_fields=_head_fields,
    form=form,
    metrics={"accuracy": _accuracy, "macro F1": _macro_f1},
    default_metrics=("accuracy", "macro F1"),
    classes=Classes(metric=_macro_f1, units=lambda label: (label,)),
    pipeline="text-classification",
    tensors=sentence_head(one_per_label),
    upper=later("adaptkit.heads.classification", "Classification"),
)
