"""Examples gathered into the data of a task."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from adaptkit.data.spread import spread
from adaptkit.data.tasks import Example, TaskData
from adaptkit.data.tasks.label_rules import Dropped, LabelRules
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.errors import ConfigError, EmptyCorpus
from adaptkit.task_types import AnyTaskType, PlainReading, Reading
from adaptkit.task_types.label_order import occurring


def collect(
    task_type: AnyTaskType,
    rows: Iterable[tuple[LabelledRow, LabelRules]],
    *,
    labels: Sequence[str] = (),
    description: str,
    limit: int | None = None,
    reading: Reading[Example] | None = None,
) -> TaskData:
    """Make an example of each row, or of `limit` rows that are spread over all.

    Args:
        task_type: of all of them.
        rows: each with the way to read its label.
        labels: the labels in their order; else those that occur, sorted.
        description: a name of the data.
        limit: how many at most; those that are left out do not count.
        reading: takes note of each example that is taken.

    Raises:
        ConfigError: `limit` below 1.
        MalformedText: a row that is none.
        EmptyCorpus: no example is left; it says what was left out.

    """
    check_limit(limit)
    dropped: Dropped = Counter()
    made = _examples(task_type, rows, dropped)
    taken, reading, examples = made if limit is None else _some(list(made), limit), reading or PlainReading(), []
    for example, row in taken:
        reading.add(example, row)
        examples.append(example)
    if not examples:
        why = f": {', '.join(f'{count:,} {reason}' for reason, count in dropped.items())}" if dropped else ""
        raise EmptyCorpus(f"{description} holds no example with a label or answer{why}.")
    ordered = tuple(labels) or occurring_labels(task_type, examples)
    return TaskData(
        task_type=task_type.name, examples=examples, labels=ordered, description=description, dropped=dict(dropped)
    )


def check_limit(limit: int | None) -> None:
    """Refuse a limit that leaves nothing.

    Raises:
        ConfigError: it is below 1.

    """
    if limit is not None and limit < 1:
        raise ConfigError(f"limit is {limit}; give at least 1, or None for everything.")


def occurring_labels(task_type: AnyTaskType, examples: Iterable[Example]) -> tuple[str, ...]:
    """Give the labels or tags that occur."""
    return occurring(label for example in examples for label in task_type.labels_of(example))


def _examples(
    task_type: AnyTaskType, rows: Iterable[tuple[LabelledRow, LabelRules]], dropped: Dropped
) -> Iterator[tuple[Example, LabelledRow]]:
    for row, rules in rows:
        example = task_type.make(row, rules, dropped)
        if example is not None:
            yield example, row


def _some(made: Sequence[tuple[Example, LabelledRow]], limit: int) -> list[tuple[Example, LabelledRow]]:
    return [made[number] for number in spread(len(made), limit)]
