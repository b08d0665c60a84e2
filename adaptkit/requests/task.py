"""The request for a task adapter."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import ClassVar, TypeAlias

from adaptkit.config import MAX_ANSWER_TOKENS, Kind
from adaptkit.data.tasks import TaskData
from adaptkit.errors import ConfigError
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.shapes import BackboneShape
from adaptkit.labelled import LabelledSource, ReadingOptions
from adaptkit.options import Recorded, Shell, option, recorded
from adaptkit.regularisers import Weighed
from adaptkit.requests.refusals import refuse
from adaptkit.requests.request import AdapterBelow, Request
from adaptkit.task_types import TASK_TYPES, HeadConfig, check_text_prefix
from adaptkit.task_types.class_weights import ClassWeights, check_class_weights, class_weights_of
from adaptkit.terminal.asking import as_typed

LabelledPart: TypeAlias = "LabelledSource | TaskData"
Labelled: TypeAlias = "LabelledPart | Sequence[LabelledPart] | Mapping[str, LabelledPart]"
ON_DROPOUT = 0.0


def labelled(given: list[str]) -> list[str] | dict[str, list[str]]:
    """Files, or a mapping of languages to files where they are written so.

    Raises:
        ConfigError: Some have a language and some have none.
    """
    by_language: dict[str, list[str]] = {}
    for value in given:
        language, equals, file = value.partition("=")
        by_language.setdefault(language if equals else "", []).append(file if equals else value)
    if "" not in by_language:
        return by_language
    if len(by_language) > 1:
        raise ConfigError("--data is given with a language and without one; write LANG=FILE for all, or for none.")
    return by_language[""]


@dataclass(frozen=True, kw_only=True)
class TaskRequest(Request):
    """A task adapter that is asked for: a head, and layers below it, trained on labelled data.

    Raises:
        ConfigError: Options that cannot be right, or that contradict each other.
    """

    kind: ClassVar[Kind] = "task"

    task: str = option(MISSING, "train a task adapter of this name on labelled data")
    data: "Labelled" = option(
        MISSING,
        "labelled data of a task: files, examples, tuples such as (text, label), a mapping of columns, a data set, a "
        "list of these, or a mapping of languages to them",
        recorded=False,
        shell=Shell(
            list[str],
            "labelled data of a task: a file, or LANG=FILE; may be repeated",
            metavar="<file>",
            read=labelled,
        ),
    )
    dev: "Labelled | None" = option(
        None,
        "labelled data to hold out and measure on, as `data` (default: a part of the data)",
        recorded=False,
        shell=Shell(
            list[str],
            "labelled data to hold out and measure on: a file, or LANG=FILE; may be repeated (default: part of --data)",
            metavar="<file>",
            read=labelled,
        ),
    )
    lang: str | None = option(None, "language of the data, where it does not say it")
    source_lang: str | None = option(None, "translation: language of the texts that are translated")
    task_type: str | None = option(None, f"{', '.join(TASK_TYPES)} (default: by the data)", choices=TASK_TYPES)
    reading: ReadingOptions = field(default=ReadingOptions())
    regularisers: tuple[Weighed, ...] = field(default=())
    drop_top_layer: bool = option(False, "task: adapters below do not act in the last block (MAD-X 2.0)")
    on_dropout: float = option(
        ON_DROPOUT, "task: share of batches that train without the adapters below", least=0, below=1
    )
    class_weights: ClassWeights | None = option(
        None,
        "how much each label counts in the loss: balanced (by inverse frequency), or a mapping of labels to weights",
        shell=Shell(
            str,
            "how much each label counts in the loss: balanced (by inverse frequency), or LABEL=WEIGHT,LABEL=WEIGHT",
            metavar="<weights>",
            read=class_weights_of,
        ),
    )
    prefix: str | None = option(
        None,
        "what stands before each text, '' for nothing (default: what the backbone is used with, such as 'query: ')",
    )
    max_answer_tokens: int | None = option(
        None,
        "qa: tokens of the longest answer (default: half more than the longest in training, at least 30)",
        least=1,
        most=MAX_ANSWER_TOKENS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.on_dropout and not self.on:
            raise ConfigError(
                f"on_dropout leaves out adapters below, and there are none: give {as_typed(on=...)}, or leave it out."
            )
        check_class_weights(self.class_weights)
        if self.prefix is not None:
            check_text_prefix(self.prefix)
        if self.source_lang is not None and not self.translates:
            raise ConfigError(
                f"source_lang is the language of texts that are translated, and task_type is {self.task_type!r}; leave "
                "one of them out."
            )

    @property
    def translates(self) -> bool:
        """Whether the data are pairs of a text and its translation, read as `parallel` is."""
        asked = self.source_lang is not None or self.task == "translation"
        return self.task_type == "translation" or (self.task_type is None and asked)

    @property
    def name(self) -> str:
        """The name of the adapter."""
        return self.task

    def record(self) -> Mapping[str, Recorded]:
        """As of every request; with the options of the regularisers."""
        added = {name: value for each in self.regularisers for name, value in recorded(each).items()}
        return {**super().record(), "sampling_alpha": self.drawing_alpha, **added}

    def adapter_config(
        self, shape: BackboneShape, head: HeadConfig, below: Sequence[AdapterBelow] = ()
    ) -> AdapterConfig:
        """The adapter that is asked for on a backbone of these sizes, with its head, over these adapters.

        Raises:
            ConfigError: Options that cannot be right there.
        """
        method = self.method_config(shape, below, decodes=head.row.writes)
        if self.drop_top_layer and not method.sites:
            refuse(["drop_top_layer"], f"method {self.method_row.name!r}")
        return AdapterConfig(method=method, head=head, hides_top_block=self.drop_top_layer)
