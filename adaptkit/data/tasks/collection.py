"""Examples gathered into the data of a task."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from adaptkit.data.tasks.examples import Example, LabelledText, TaggedSentence, TaskData, TaskType
from adaptkit.data.tasks.makers import MAKERS, Dropped, LabelRules
from adaptkit.data.tasks.nli import NLI_LABELS, canonical_nli_label
from adaptkit.data.tasks.records import Record
from adaptkit.data.tasks.tag_schemes import OUTSIDE, TagsSeen
from adaptkit.errors import ConfigError, EmptyCorpus


def collect(
    task_type: TaskType,
    records: Iterable[tuple[Record, LabelRules]],
    *,
    labels: Sequence[str] = (),
    description: str,
    limit: int | None = None,
    tags: TagsSeen | None = None,
) -> TaskData:
    """Make an example of each record, the first `limit` of them.

    Args:
        task_type: of all of them.
        records: each with the way to read its label.
        labels: the labels in their order; else those that occur, sorted.
        description: a name of the data.
        limit: how many at most; those that are left out do not count.
        tags: takes note of the tags of each sentence.

    Raises:
        ConfigError: `limit` below 1.
        MalformedText: a record that is none.
        EmptyCorpus: no example is left; it says what was left out.

    """
    check_limit(limit)
    dropped: Dropped = Counter()
    examples = list(islice(_examples(task_type, records, dropped, tags), limit))
    if not examples:
        why = f": {', '.join(f'{count:,} {reason}' for reason, count in dropped.items())}" if dropped else ""
        raise EmptyCorpus(f"{description} holds no example with a label or answer{why}.")
    ordered = tuple(labels) or occurring_labels(examples)
    return TaskData(
        task_type=task_type, examples=examples, labels=ordered, description=description, dropped=dict(dropped)
    )


def check_limit(limit: int | None) -> None:
    """Refuse a limit that leaves nothing.

    Raises:
        ConfigError: it is below 1.

    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is {limit}; give at least 1, or None for everything.")


def occurring_labels(examples: Iterable[Example]) -> tuple[str, ...]:
    """Give the labels or tags that occur: words sorted, tags by entity with `O` first."""
    found = {label for example in examples for label in _labels_of(example)}
    return tuple(sorted(found, key=lambda label: (label != OUTSIDE, label[2:] if label[1:2] == "-" else label, label)))


def with_nli_words(data: TaskData) -> TaskData:
    """Write the labels of text pairs as NLI's words where every one of them is such a word in some spelling."""
    if not all(isinstance(example, LabelledText) and example.pair is not None for example in data.examples):
        return data
    words = {label: canonical_nli_label(label) for label in data.labels}
    if None in words.values():
        return data
    examples = [
        replace(example, label=canonical_nli_label(example.label) or example.label)
        for example in data.examples
        if isinstance(example, LabelledText)
    ]
    return replace(data, examples=examples, labels=NLI_LABELS)


def _examples(
    task_type: TaskType, records: Iterable[tuple[Record, LabelRules]], dropped: Dropped, tags: TagsSeen | None
) -> Iterator[Example]:
    make = MAKERS[task_type]
    for record, rules in records:
        example = make(record, rules, dropped)
        if tags is not None and isinstance(example, TaggedSentence):
            tags.add(example, record)
        if example is not None:
            yield example


def _labels_of(example: Example) -> tuple[str, ...]:
    if isinstance(example, LabelledText):
        return (example.label,)
    return example.tags if isinstance(example, TaggedSentence) else ()
