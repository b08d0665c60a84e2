"""The order in which labels stand where nobody gave one."""

from collections.abc import Iterable

from adaptkit.data.tasks.tag_schemes import OUTSIDE


def occurring(labels: Iterable[str]) -> tuple[str, ...]:
    """Each label once: words sorted, tags by entity with `O` first."""
    return tuple(
        sorted(set(labels), key=lambda label: (label != OUTSIDE, label[2:] if label[1:2] == "-" else label, label))
    )
