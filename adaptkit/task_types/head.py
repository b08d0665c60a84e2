"""The head of a task adapter, as a folder says it."""

import re
from dataclasses import dataclass, field

from adaptkit.config import DEFAULT_ANSWER_TOKENS, MAX_ANSWER_TOKENS, MAX_LABELS, MAX_PREFIX_LENGTH
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.languages import canonical_tag
from adaptkit.task_types.table import TASK_TYPES
from adaptkit.task_types.task_type import AnyTaskType
from adaptkit.task_types.tensor_shapes import Shapes
from adaptkit.terminal.plain_text import is_one_line


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The output layer of a task adapter.

    `task_type` is one of `TASK_TYPES`, whose row says what the head computes. `labels` are the labels or tags in the
    order of the outputs. A `qa` head with `allows_no_answer` was trained on questions without an answer too, and may
    give none; its answers have up to `max_answer_tokens` tokens. A `classification` or `multilabel` head with `pairs`
    was trained on pairs of texts, and reads nothing else. A `translation` head has no weights: it says from which
    `source_language` into which `target_languages` was trained. `text_prefix` stands before each text in place of the
    backbone's own prefix; with None that one does.

    Raises:
        ConfigError: A task type that nobody registered; labels that it does not have, or lacks, or that repeat; a
            dropout that cannot be right.
    """

    task_type: str
    labels: tuple[str, ...] = ()
    dropout: float = 0.1
    allows_no_answer: bool = False
    pairs: bool = False
    # In files from format version 5 on (`adaptkit.format.typed_json.since`).
    max_answer_tokens: int = field(default=DEFAULT_ANSWER_TOKENS, metadata={"since": 5})
    source_language: str = field(default="", metadata={"since": 9})
    target_languages: tuple[str, ...] = field(default=(), metadata={"since": 9})
    text_prefix: str | None = field(default=None, metadata={"since": 12})

    def __post_init__(self) -> None:
        _require(
            self.task_type in TASK_TYPES, f"task type is one of {', '.join(TASK_TYPES)}, found {self.task_type!r}."
        )
        least = self.row.least_labels
        if least:
            _require(
                least <= len(self.labels) <= MAX_LABELS,
                f"{self.task_type} needs {least} to {MAX_LABELS:,} labels, found {len(self.labels)}.",
            )
        else:
            _require(not self.labels, f"{self.task_type} has no labels, found {', '.join(self.labels)}.")
        _require(len(set(self.labels)) == len(self.labels), f"a label is named twice: {', '.join(self.labels)}.")
        for label in self.labels:
            _require(is_one_line(label), f"the label {label!r} holds a control character or an end of a line.")
        _require(0 <= self.dropout < 1, f"dropout must lie in [0, 1), found {self.dropout}.")
        _require(
            1 <= self.max_answer_tokens <= MAX_ANSWER_TOKENS,
            f"max_answer_tokens must lie between 1 and {MAX_ANSWER_TOKENS:,}, found {self.max_answer_tokens}.",
        )
        if self.max_answer_tokens != DEFAULT_ANSWER_TOKENS:
            require_bounded(self.row)
        if self.text_prefix is not None:
            check_text_prefix(self.text_prefix)
            _require(not self.row.writes, f"{self.task_type} has no text prefix, found {self.text_prefix!r:.100}.")
        self._check_languages()

    def _check_languages(self) -> None:
        named = (self.source_language, *self.target_languages)
        if not self.row.writes:
            _require(named == ("",), f"{self.task_type} has no source or target languages, found {named}.")
            return
        _require(
            bool(self.source_language) and bool(self.target_languages) and len(set(named)) == len(named),
            f"{self.task_type} names a source language and other target languages, each once, found {named}.",
        )
        for tag in named:
            _require(canonical_tag(tag) == tag, f"the language {tag!r} is written {canonical_tag(tag)!r}.")

    @property
    def row(self) -> AnyTaskType:
        """What is known of its task type."""
        return TASK_TYPES[self.task_type]

    @property
    def has_weights(self) -> bool:
        """Whether there is something in it to train."""
        return bool(self.tensors(1))

    @property
    def reads_glosses(self) -> bool:
        """Whether a glossary that was not asked for lies below it."""
        return self.row.reads_glosses and not self.pairs

    def tensors(self, hidden_width: int) -> Shapes:
        """The shapes of its tensors, by their names in the head, in the order in which it has them."""
        return self.row.tensors(self, hidden_width)


def head_for(data: TaskData) -> HeadConfig:
    """The head that answers as examples do.

    Raises:
        ConfigError: Examples that no head can be trained on: of one label only, say.
    """
    row = TASK_TYPES.require(data.task_type)
    if len(data.labels) < row.least_labels:
        found = f"only the label {data.labels[0]!r}" if data.labels else "no label"
        raise ConfigError(
            f"{data.description} has {found}; a head of {row.name} needs {row.least_labels} or more. Give examples of "
            "others too."
        )
    return HeadConfig(task_type=row.name, labels=data.labels, **row.head_fields(data))


_SURROGATES = re.compile("[\ud800-\udfff]")


def check_text_prefix(prefix: str) -> None:
    """See that this may stand before every text.

    Raises:
        ConfigError: It is too long, or holds a control character or an end of a line.
    """
    _require(
        len(prefix) <= MAX_PREFIX_LENGTH and is_one_line(prefix) and not _SURROGATES.search(prefix),
        f"a text prefix has at most {MAX_PREFIX_LENGTH} characters, in one line, found {prefix!r:.100}.",
    )


def require_bounded(row: AnyTaskType) -> None:
    """Refuse a bound on answers where none are given.

    Raises:
        ConfigError: The task type gives no answers of any length.
    """
    of_answers = ", ".join(each.name for each in TASK_TYPES.values() if each.bounds_answers)
    _require(
        row.bounds_answers, f"max_answer_tokens is for {of_answers}, and this is a head of {row.name}; leave it out."
    )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(message)
