"""The task adapter that finds entities, on a model for as long as it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adaptkit.errors import ConfigError
from adaptkit.model import AdaptedModel
from adaptkit.model.stacks import StackLike
from adaptkit.storage import Adapter, load_adapter
from adaptkit.terminal.asking import as_typed

Names = Adapter | os.PathLike[str] | StackLike
"""A task adapter, its folder, or a stack of what is attached."""


@contextmanager
def tagger_on(model: AdaptedModel, names: Names) -> Iterator[StackLike]:
    """The stack that tags words; an adapter or one in a folder is attached for the time, if it was not.

    Raises:
        ConfigError: It tags nothing, or no entities.
        AdapterFileError: A folder that is not a sound adapter.
        CompatibilityError: It is for another backbone.
    """
    adapter = _given(model, names)
    if not isinstance(adapter, Adapter):
        _require_entities(model, adapter)
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
        _require_entities(model, renamed.id)
        yield renamed.id
    finally:
        if lent:
            model.detach(renamed.id)


def _given(model: AdaptedModel, names: Names) -> Adapter | StackLike:
    """The adapter of a folder; else what was given. What is attached under a name comes first."""
    if isinstance(names, os.PathLike):
        return load_adapter(names)
    if isinstance(names, str) and model.attached_adapter(names) is None and Path(names).is_dir():
        return load_adapter(names)
    return names


def _require_entities(model: AdaptedModel, stack: StackLike) -> None:
    head = model.head_of(stack)[1]
    if head.task_type != "tagging":
        raise ConfigError(
            f"{as_typed(names=...)} is a task adapter that tags named entities, found one for {head.task_type}."
        )
