"""Words and a tag for each, which mark entities."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from adaptkit.data.tasks import TaskData
from adaptkit.data.tasks.label_rules import Dropped, LabelRules, about, label_of, sequence_of
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.data.tasks.tag_schemes import OUTSIDE, TagsSeen, has_entities
from adaptkit.errors import ConfigError
from adaptkit.later import later
from adaptkit.scores import UNTAGGED, EntityF1, EntityMacroF1
from adaptkit.task_types.classes import Classes
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item
from adaptkit.task_types.label_order import occurring
from adaptkit.task_types.left_out import cut, part_of
from adaptkit.task_types.task_metric import TaskMetric
from adaptkit.task_types.task_type import Asked, TaskType
from adaptkit.task_types.tensor_shapes import one_per_label, token_head
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedSentence:
    """Words with a tag each, in the BIO scheme for entities; among parts of speech `_` is a word without one."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    language: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class PredictedTags:
    """One tag for each word. Words beyond the first `n_read`, which were cut off, get the outside tag."""

    tags: tuple[str, ...]
    n_read: int


class _ReadingOfTags:
    """Tags in any scheme become BIO; without entities they are parts of speech, unless this type was asked for."""

    def __init__(self) -> None:
        self._seen = TagsSeen()

    def add(self, example: TaggedSentence, place: LabelledRow | int) -> None:
        """Take note of its tags."""
        self._seen.add(example, place)

    def finished(self, data: TaskData, asked: Asked) -> TaskData:
        """In BIO."""
        data = self._seen.in_bio(data, list(_sentences(data)))
        if not asked.labels:
            data = replace(data, labels=occurring(set(_tags(data)) - {UNTAGGED}))
        if asked.task_type is None and self._seen.are_no_entities():
            return with_untagged(replace(data, task_type="pos"))
        if UNTAGGED in _tags(data):
            raise ConfigError(
                f"{data.description} has words with the tag {UNTAGGED}, which says that a part of speech is not known. "
                f"If these are parts of speech, give {as_typed(task_type='pos')}; if entities, tag a word that is in "
                f"none {OUTSIDE}."
            )
        return data


def with_untagged(data: TaskData) -> TaskData:
    """Parts of speech without `_` among the labels, and a note on the words that have it."""
    data = replace(data, labels=tuple(label for label in data.labels if label != UNTAGGED))
    tags = list(_tags(data))
    if not (n_untagged := tags.count(UNTAGGED)):
        return data
    note = f"{part_of(n_untagged, len(tags))} words have no tag ({UNTAGGED}); nothing is learned from them"
    return replace(data, notes=(*data.notes, note))


def _tags(data: TaskData) -> Iterator[str]:
    return (tag for sentence in _sentences(data) for tag in sentence.tags)


def _sentences(data: TaskData) -> Iterator[TaggedSentence]:
    return (example for example in data.examples if isinstance(example, TaggedSentence))


def make_sentence(row: LabelledRow, rules: LabelRules, dropped: Dropped) -> TaggedSentence | None:
    """The words and tags of a row."""
    words, tags = (sequence_of(row, role) for role in ("words", "tags"))
    if len(words) != len(tags):
        raise row.wrong(f"{len(words)} words and {len(tags)} tags", "a tag for each word")
    if not words or not all(isinstance(word, str) and word for word in words):
        raise row.wrong("a sentence without words, or an empty word", "words as text")
    # Whatever labels are allowed, a word may have none.
    rules = replace(rules, allowed=(*rules.allowed, UNTAGGED)) if rules.allowed else rules
    read = [label_of(row, rules, tag) for tag in tags]
    known = tuple(tag for tag in read if tag is not None)
    if len(known) < len(read):
        dropped["without a tag for each word"] += 1
        return None
    if set(known) == {UNTAGGED}:
        dropped["without any tag"] += 1
        return None
    language, group = about(row)
    return TaggedSentence(words=tuple(map(str, words)), tags=known, language=language, group=group)


def plain_words(_: int, given: object) -> TaggedSentence | None:
    """A list of words without tags."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(word, str) for word in given):
        return None
    return TaggedSentence(words=tuple(given), tags=())


def joined_words(example: TaggedSentence) -> tuple[str]:
    """The words as one text."""
    return (" ".join(example.words),)


def words_lost(examples: Sequence[TaggedSentence], items: Sequence[Item]) -> tuple[str, list[str]]:
    """How many words lie beyond what is read, in words, and their tags."""
    read = [0 if item.places is None else len(item.places) for item in items]
    tags = [tag for sentence, n in zip(examples, read, strict=True) for tag in sentence.tags[n:]]
    lost = sum(len(sentence.words) - n for sentence, n in zip(examples, read, strict=True))
    return f"{part_of(lost, sum(len(sentence.words) for sentence in examples))} words", tags


def _lost(
    _: HeadFields, examples: Sequence[TaggedSentence], items: Sequence[Item], /, *, max_length: int, scored: bool
) -> list[str]:
    words, tags = words_lost(examples, items)
    counted = f"; {OUTSIDE} is predicted for them" if scored else ""
    entities = sum(tag != OUTSIDE for tag in tags)
    more = f", and with them {words} and {entities:,} tags other than {OUTSIDE}{counted}"
    return cut(items, "examples", len(examples), max_length, more)


def _with_names(
    example: TaggedSentence, change: Callable[[str], str], change_name: Callable[[str], str]
) -> TaggedSentence:
    """With the words of entities changed as names: most are copied, and some are words too."""
    tagged = zip(example.words, example.tags, strict=True)
    return replace(example, words=tuple(change(word) if tag == OUTSIDE else change_name(word) for word, tag in tagged))


def _together(parts: Sequence[TaskData]) -> None:
    if len({has_entities(part.labels) for part in parts}) > 1:
        raise ConfigError(
            f"{as_typed(data=...)} holds entities for some languages and other tags, such as parts of speech, for "
            "others; train a "
            "task adapter on each."
        )


def _unknown_entities(head: HeadFields, examples: Sequence[TaggedSentence]) -> frozenset[str]:
    """Entity types in the examples that a head cannot give."""
    known = {tag.partition("-")[2] for tag in head.labels}
    there = {tag.partition("-")[2] for example in examples for tag in example.tags}
    return frozenset(there - known)


def _ignored(head: HeadFields, examples: Sequence[TaggedSentence]) -> list[str]:
    unknown = ", ".join(sorted(_unknown_entities(head, examples)))
    return [f"entities of type {unknown} are left out: the task adapter was not trained on them."] if unknown else []


def predicted_tags(prediction: PredictedTags) -> tuple[str, ...]:
    """What a score reads of a prediction."""
    return prediction.tags


def right_tags(example: TaggedSentence) -> tuple[str, ...]:
    """What a score reads of an example."""
    return example.tags


def _entity_f1(
    head: HeadFields, _: str, examples: Sequence[TaggedSentence]
) -> TaskMetric[PredictedTags, TaggedSentence]:
    return TaskMetric(EntityF1(ignore=_unknown_entities(head, examples)), predicted_tags, right_tags)


def _by_type(head: HeadFields, _: str, __: Sequence[TaggedSentence]) -> TaskMetric[PredictedTags, TaggedSentence]:
    types = sorted({_type(label) for label in head.labels if label != OUTSIDE})
    return TaskMetric(EntityMacroF1(tuple(types)), predicted_tags, right_tags)


def _types(tags: Sequence[str]) -> list[str]:
    """The entity type of each word."""
    return [_type(tag) or "no entity" for tag in tags]


def _type(tag: str) -> str:
    return tag.partition("-")[2]


TAGGING = TaskType(
    name="tagging",
    hub_task="token-classification",
    example=TaggedSentence,
    columns={"words": ("words", "tokens"), "tags": ("tags", "ner_tags", "upos")},
    from_lines=True,
    make=make_sentence,
    reading=_ReadingOfTags,
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
    together=_together,
    lost=_lost,
    ignored=_ignored,
    word_by_word=_with_names,
    metrics={"entity F1": _entity_f1},
    default_metrics=("entity F1",),
    classes=Classes(metric=_by_type, counted="entities", each="words", units=_types),
    # Nearly every tag is O: at the full rate before anything else is told apart, one run in three stayed there.
    warmup_share=0.2,
    transformers_class=later("transformers", "AutoModelForTokenClassification"),
    pipeline="token-classification",
    tensors=token_head(one_per_label),
    upper=later("adaptkit.heads.tagging", "Tagging"),
)
