"""The fields of an AdapterHub config: read strictly, and refused where they mean what is not computed here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from adaptkit.errors import MalformedConfig, NotConvertible
from adaptkit.format.adapter_config import AdapterConfig
from adaptkit.format.typed_json import MistypedJson, decode

Fields = TypeVar("Fields")


@dataclass(frozen=True)
class Reading:
    """What a weight file must hold, by their names without the model's before them, and what is made of it."""

    shapes: Mapping[str, tuple[int, ...]]
    converted: Callable[[Mapping[str, Tensor]], tuple[AdapterConfig, dict[str, Tensor]]]


def read_fields(
    kind: type[Fields],
    config: Mapping[str, object],
    *,
    defaults: Mapping[str, object],
    without_effect: Collection[str],
    path: Path,
) -> Fields:
    """The fields of `kind`, those that are absent by default. What is neither known nor without effect must be off.

    Raises:
        NotConvertible: Another field is on.
        MalformedConfig: A field of a wrong type, or a missing one.
    """
    known = {entry.name for entry in fields(kind)}  # type: ignore[arg-type]
    for name, value in config.items():
        if name not in known and name not in without_effect and not _is_off(value):
            raise NotConvertible(f"{path} has {name} {value!r:.80}, which adaptkit does not compute with.")
    given: dict[str, Any] = {**defaults, **{name: value for name, value in config.items() if name in known}}
    try:
        return decode(kind, given)
    except MistypedJson as error:
        raise MalformedConfig(path, f"{error}") from error


def _is_off(value: object) -> bool:
    return value is None or value is False or value == [] or value == {}


def blocks_kept(leave_out: tuple[int, ...], n_blocks: int, path: Path) -> tuple[int, ...]:
    """The blocks with layers.

    Raises:
        MalformedConfig: None is left.
    """
    kept = tuple(block for block in range(n_blocks) if block not in leave_out)
    if not kept:
        raise MalformedConfig(path, f"leaves out every block of a backbone that has {n_blocks}.")
    return kept
