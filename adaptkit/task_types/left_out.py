"""What of labelled examples is not read because it is too long, in words."""

from collections.abc import Sequence

from adaptkit.data.tasks import Example
from adaptkit.task_types.head_fields import HeadFields
from adaptkit.task_types.item import Item


def cut_examples(
    _: HeadFields,
    examples: Sequence[Example],
    items: Sequence[Item],
    /,
    *,
    max_length: int,
    scored: bool,  # noqa: ARG001 - the contract of losses
) -> list[str]:
    """How many examples are cut at `max_length` tokens a row, where any is."""
    return cut(items, "examples", len(examples), max_length)


def cut(items: Sequence[Item], what: str, n_examples: int, limit: int, more: str = "") -> list[str]:
    """The sentence that says so; none where nothing is cut."""
    n_cut = len({item.example for item in items if item.cut})
    return [f"{part_of(n_cut, n_examples)} {what} are cut at {limit} tokens{more}"] if n_cut else []


def part_of(part: int, whole: int) -> str:
    """A count, of how many, and the share."""
    return f"{part:,} of {whole:,} ({part / max(whole, 1):.1%})"
