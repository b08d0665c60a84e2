"""The task adapter that tags words, on a model for as long as it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel
from adaptkit.model.stacks import StackLike
from adaptkit.storage import Adapter, load_adapter
from adaptkit.terminal.asking import as_typed

Tagger = Adapter | os.PathLike[str] | StackLike
"""A task adapter, its folder, or a stack of what is attached."""

_ASKED = {"tagging": ("names", "named entities"), "pos": ("tagger", "parts of speech")}
"""By task type the option that names such an adapter, and what it tags."""


@contextmanager
def tagger_on(model: AdaptedModel, tagger: Tagger, task_type: Literal["tagging", "pos"]) -> Iterator[StackLike]:
    """The stack that tags words; an adapter or one in a folder is attached for the time, if it was not.

    Raises:
        ConfigError: It tags nothing, or other things than those of the task type.
        AdapterFileError: A folder that is not a sound adapter.
        CompatibilityError: It is for another backbone.
    """
    adapter = _given(model, tagger)
    if not isinstance(adapter, Adapter):
        _require_type(model, adapter, task_type)
        yield adapter
        return
    there = model.attached_adapter(adapter.id)
    renamed = (
        adapter if there is None or there.weights_sha256 == adapter.weights_sha256 else adapter.renamed("task/project")
    )
    lent = model.attached_adapter(renamed.id) is None
    if lent:
        model.attach(renamed)
    try:
        _require_type(model, renamed.id, task_type)
        yield renamed.id
    finally:
        if lent:
            model.detach(renamed.id)


def _given(model: AdaptedModel, tagger: Tagger) -> Adapter | StackLike:
    """The adapter of a folder; else what was given. What is attached under a name comes first."""
    if isinstance(tagger, os.PathLike):
        return load_adapter(tagger)
    if isinstance(tagger, str) and model.attached_adapter(tagger) is None and Path(tagger).is_dir():
        return load_adapter(tagger)
    return tagger


def _require_type(model: AdaptedModel, stack: StackLike, task_type: Literal["tagging", "pos"]) -> None:
    head = model.head_of(stack)[1]
    if head.task_type != task_type:
        option, tagged = _ASKED[task_type]
        raise ConfigError(
            f"{as_typed(**{option: ...})} is a task adapter that tags {tagged}, found one for {head.row.in_words}."
        )
