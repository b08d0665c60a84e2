"""The task adapter that tags words, on a model for as long as it is needed."""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from adaptkit.errors import ConfigError
from adaptkit.languages import language_name
from adaptkit.model import AdaptedModel
from adaptkit.model.stacks import StackLike
from adaptkit.projection.learned_words import is_in
from adaptkit.storage import Adapter, load_adapter
from adaptkit.task_types import HeadConfig
from adaptkit.terminal.asking import as_typed

Tagger = Adapter | os.PathLike[str] | StackLike
"""A task adapter, its folder, or a stack of what is attached."""

_ASKED = {"tagging": ("names", "named entities"), "pos": ("tagger", "parts of speech")}
"""By task type the option that names such an adapter, and what it tags."""
_log = logging.getLogger("adaptkit")


@contextmanager
def tagger_on(
    model: AdaptedModel, tagger: Tagger, task_type: Literal["tagging", "pos"], languages: Iterable[str | None]
) -> Iterator[StackLike]:
    """The stack that tags words; an adapter or one in a folder is attached for the time, if it was not.

    It is told where an adapter was trained in other languages than those of the translations, which are `languages`
    (None: not known).

    Raises:
        ConfigError: It tags nothing, or other things than those of the task type.
        AdapterFileError: A folder that is not a sound adapter.
        CompatibilityError: It is for another backbone.
    """
    adapter = _given(model, tagger)
    if not isinstance(adapter, Adapter):
        _require_type(model.head_of(adapter)[1], str(adapter), task_type)
        yield adapter
        return
    _require_type(adapter.config.head, adapter.id, task_type)
    _tell_languages(adapter, languages)
    there = model.attached_adapter(adapter.id)
    renamed = (
        adapter if there is None or there.weights_sha256 == adapter.weights_sha256 else adapter.renamed("task/project")
    )
    lent = model.attached_adapter(renamed.id) is None
    if lent:
        model.attach(renamed)
    try:
        yield renamed.id
    finally:
        if lent:
            model.detach(renamed.id)


def _given(model: AdaptedModel, tagger: Tagger) -> Adapter | StackLike:
    """The adapter of a name or folder, where it is one; else the stack that was given. What is attached comes first."""
    attached = model.attached_adapter(tagger) if isinstance(tagger, str) else None
    if attached is not None:
        return attached
    if isinstance(tagger, os.PathLike) or (isinstance(tagger, str) and Path(tagger).is_dir()):
        return load_adapter(tagger)
    return tagger


def _require_type(head: HeadConfig | None, found: str, task_type: Literal["tagging", "pos"]) -> None:
    if head is None or head.task_type != task_type:
        option, tagged = _ASKED[task_type]
        does = "has no head" if head is None else f"is for {head.row.in_words}"
        raise ConfigError(
            f"{as_typed(**{option: ...})} is a task adapter that tags {tagged}, and {found} {does}; give one that does."
        )


def _tell_languages(adapter: Adapter, languages: Iterable[str | None]) -> None:
    """Warn of translations in a language that the adapter's card does not have."""
    for source in dict.fromkeys(languages):
        if source and adapter.languages and not any(is_in(source, each) for each in adapter.languages):
            _log.warning(
                "warning: the translations are in %s (%s), and %s was trained in %s: it tags them as well as it reads "
                "that language at all. Look at what it predicts for some of them, or give one that was trained in it.",
                language_name(source),
                source,
                adapter.id,
                ", ".join(adapter.languages),
            )
