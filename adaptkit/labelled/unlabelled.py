"""Text without labels as examples of a task."""

from dataclasses import replace

from adaptkit.data.corpus import TextSource, open_corpus
from adaptkit.data.letters import NormalForm
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.labelled.inputs import examples_of
from adaptkit.labelled.spelling import normalized_data
from adaptkit.task_types import TASK_TYPES


def read_unlabelled(source: TextSource, task_type: str, *, normalize: NormalForm | None = None) -> TaskData:
    """Examples that nobody has labelled, one a text; a text is what `adaptkit predict` reads as a line.

    Raises:
        DataError: Text that is not there or malformed, or none.
        ConfigError: A text that is no input of the task.
    """
    corpus, row = open_corpus(source), TASK_TYPES.require(task_type)
    inputs = [row.of_line(text) for text in corpus.lines()]
    try:
        examples = examples_of(task_type, inputs)
    except ConfigError as error:
        raise ConfigError(f"{corpus.description}, which has no labels: {error}") from error
    data = TaskData(task_type=task_type, examples=examples, labels=(), description=corpus.description)
    return replace(normalized_data(data, normalize), description=corpus.description)
