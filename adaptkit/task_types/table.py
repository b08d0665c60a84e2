"""The task types that are known. The first whose columns are all in a table is that of its rows."""

from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.table import Table
from adaptkit.task_types.choice import CHOICE
from adaptkit.task_types.classification import CLASSIFICATION
from adaptkit.task_types.multilabel import MULTILABEL
from adaptkit.task_types.pos import POS
from adaptkit.task_types.question_answering import QA
from adaptkit.task_types.regression import REGRESSION
from adaptkit.task_types.similarity import SIMILARITY
from adaptkit.task_types.tagging import TAGGING
from adaptkit.task_types.task_type import AnyTaskType
from adaptkit.task_types.translation import TRANSLATION

TASK_TYPES: Table[AnyTaskType] = Table("task type")
"""What a head may answer: the rows of all task types, by name; `register` adds one."""

for _row in (TAGGING, POS, CHOICE, QA, CLASSIFICATION, SIMILARITY, MULTILABEL, REGRESSION, TRANSLATION):
    TASK_TYPES.register(_row)


def type_of(example: Example) -> AnyTaskType:
    """The first task type that has examples of this class.

    Raises:
        ConfigError: None has.
    """
    for row in TASK_TYPES.values():
        if type(example) is row.example:
            return row
    raise ConfigError(f"no task type has examples that are a {type(example).__name__}; register it first.")


def is_example(value: object) -> bool:
    """Whether a task type has examples of its class."""
    return any(type(value) is row.example for row in TASK_TYPES.values())
