"""Inputs of requests as examples of the task type of the head that answers."""

from http import HTTPStatus

from adaptkit.data.tasks import Example
from adaptkit.errors import ConfigError
from adaptkit.labelled import examples_of
from adaptkit.serving.refusal import Refusal, Refused, malformed
from adaptkit.serving.shelf import Named
from adaptkit.task_types import TASK_TYPES, AnyTaskType
from adaptkit.terminal.amounts import row_of

ANY_HEAD = "predict"
"""The endpoint where a head of any task type answers."""


def example_of(endpoint: str, number: int, given: object, named: Named) -> Example:
    """The example that an input is to the head on top of its stack; a line of text is read as in a shell.

    Raises:
        Refused: The stack has no head, its head answers elsewhere, or it takes inputs of another form.
    """
    row = _row_of(endpoint, named)
    if isinstance(given, str) and row.plain(number, given) is None:
        given = row.of_line(given)
    try:
        return examples_of(row.name, [given], [row_of(number, "inputs")])[0]
    except ConfigError as error:
        raise malformed(str(error), "input") from error


def _row_of(endpoint: str, named: Named) -> AnyTaskType:
    if named.head is None:
        raise _refused(
            f"the stack {named.stack or '(the backbone alone)'} ends in no adapter with a head, so that it gives "
            "vectors and no answers. Put a task adapter on top, or ask /v1/embeddings."
        )
    row = TASK_TYPES.require(named.head)
    if row.writes:
        raise _refused(
            f"{named.stack} answers with text that the backbone writes word by word ({row.in_words}), which this "
            "server does not do, as one such answer would hold up all others. Use `adaptkit predict`, or model.predict "
            "in Python."
        )
    if endpoint not in (ANY_HEAD, row.endpoint):
        raise _refused(f"{named.stack} is a head of {row.in_words}; ask /v1/{row.endpoint}, or /v1/{ANY_HEAD}.")
    return row


def _refused(message: str) -> Refused:
    return Refused(Refusal(HTTPStatus.BAD_REQUEST, "no_head", message, "model"))
