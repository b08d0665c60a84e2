"""Upper halves of task types: how examples become token ids, how a head is trained on them, and what it answers."""

from adaptkit.backbones import TextReader
from adaptkit.heads.objective import HeadObjective
from adaptkit.heads.task_format import DecodingFormat, TaskFormat, label_number
from adaptkit.heads.typed import of_type
from adaptkit.layers.heads import Head
from adaptkit.task_types import HeadConfig


def format_of(reader: TextReader, head: HeadConfig, *, max_length: int | None = None) -> TaskFormat:
    """The format of a head's task type; rows are cut (contexts: windowed) at `max_length` tokens.

    What stands before each text is the head's prefix, where it has one of its own.
    """
    if head.text_prefix is not None:
        reader = reader.behind(head.text_prefix)
    limit = min(max_length or reader.max_length, reader.max_length)
    task_format: TaskFormat = head.row.upper()(reader, head, max_length=limit)
    return task_format


def build_head(head: HeadConfig, hidden_width: int) -> Head:
    """A fresh head for hidden states of this width."""
    module: Head = head.row.upper().module(head, hidden_width)
    return module


__all__ = ["DecodingFormat", "HeadObjective", "TaskFormat", "build_head", "format_of", "label_number", "of_type"]
