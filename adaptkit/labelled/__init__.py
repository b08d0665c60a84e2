"""Labelled data read: a user's own, and benchmarks by name."""

from adaptkit.labelled.benchmarks import read_task, task_languages, task_spec
from adaptkit.labelled.inputs import examples_of, without_label
from adaptkit.labelled.plain_rows import is_columns, is_tuples
from adaptkit.labelled.read import LabelledSource, are_examples, read_labelled
from adaptkit.labelled.reading_options import ReadingOptions
from adaptkit.labelled.spelling import checked_data, normalized_data, texts_of
from adaptkit.labelled.translated_examples import copies_of
from adaptkit.labelled.translations import read_translations
from adaptkit.labelled.written_rows import json_lines_of

__all__ = [
    "LabelledSource",
    "ReadingOptions",
    "are_examples",
    "checked_data",
    "copies_of",
    "examples_of",
    "is_columns",
    "is_tuples",
    "json_lines_of",
    "normalized_data",
    "read_labelled",
    "read_task",
    "read_translations",
    "task_languages",
    "task_spec",
    "texts_of",
    "without_label",
]
