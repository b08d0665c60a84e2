"""A text and its translation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptkit.data.tasks import Example, TaskData
from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag, language_name
from adaptkit.later import later
from adaptkit.scores import Bleu, ChrF
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.left_out import part_of
from adaptkit.task_types.plain_texts import plain_texts
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import TaskType
from adaptkit.task_types.tensor_shapes import no_tensors
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A text and its translation, which is empty where nobody has made one. `language` is that of the translation."""

    source: str
    target: str = ""
    language: str | None = None
    source_language: str | None = None
    group: str | None = None


def _make(row: LabelledRow, _: LabelRules, __: Dropped) -> Translation:
    language, group = about(row)
    return Translation(
        source=row.text("source").strip(), target=row.text("target").strip(), language=language, group=group
    )


def _plain(_: int, given: object) -> Translation | None:
    text = plain_texts(given, 1)
    return Translation(source=text[0]) if text else None


def _head_fields(data: TaskData) -> Mapping[str, object]:
    examples: Sequence[Example] = data.examples
    sources = {each.source_language for each in examples if isinstance(each, Translation)}
    targets = {each.language for each in examples}
    if None in targets:
        raise ConfigError(
            f"{data.description} does not say which language it is translated into; give {as_typed(lang='sw')}."
        )
    if None in sources or len(sources) != 1:
        found = "no language" if sources == {None} else ", ".join(sorted(map(str, sources)))
        raise ConfigError(
            f"a translation adapter reads one language, and {data.description} names {found} for the texts that are "
            f"translated; give {as_typed(source_lang='en')}."
        )
    return {
        "source_language": canonical_tag(next(iter(filter(None, sources)))),
        "target_languages": tuple(sorted(canonical_tag(tag) for tag in targets if tag is not None)),
    }


def _left_out(
    _: HeadFields, examples: Sequence[Translation], items: Sequence[Item], /, *, max_length: int, scored: bool
) -> list[str]:
    """A pair is trained whole or not at all: cut, a translation would end in the middle of a sentence."""
    n_long = sum(item.cut for item in items)
    if not n_long or scored:
        return []
    return [f"{part_of(n_long, len(examples))} pairs are longer than {max_length} tokens and left out"]


def _told(head: HeadFields) -> str:
    into = ", ".join(language_name(tag) for tag in head.target_languages)
    return f"translation from {language_name(head.source_language)} into {into}"


def _chrf(_: HeadFields, __: str, ___: Sequence[Translation]) -> TaskMetric[str, Translation]:
    return TaskMetric(ChrF(), str, lambda example: example.target)


def _bleu(_: HeadFields, __: str, ___: Sequence[Translation]) -> TaskMetric[str, Translation]:
    return TaskMetric(Bleu(), str, lambda example: example.target)


TRANSLATION = TaskType(
    name="translation",
    hub_task="translation",
    example=Translation,
    columns={"source": ("source", "src", "source_text"), "target": ("target", "tgt", "target_text")},
    make=_make,
    plain=_plain,
    plain_form="a text",
    texts=("source", "target"),
    blank={"target": ""},
    by_words=False,
    metrics={"chrF++": _chrf, "BLEU": _bleu},
    default_metrics=("chrF++", "BLEU"),
    head_fields=_head_fields,
    lost=_left_out,
    told=_told,
    writes=True,
    no_pipeline="it writes, which adaptkit's own model.translate does under any stack",
    tensors=no_tensors,
    upper=later("adaptkit.heads.translation", "TranslationFormat"),
)
