"""Weights of classes: how much each label counts in the loss, so that frequent labels do not drown rare ones."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Literal, TypeAlias

from adaptkit.data.letters import normalized
from adaptkit.errors import ConfigError
from adaptkit.task_types.head import HeadConfig
from adaptkit.task_types.item import IGNORED, Item
from adaptkit.task_types.table import TASK_TYPES
from adaptkit.terminal.asking import as_typed

ClassWeights: TypeAlias = Literal["balanced"] | Mapping[str, float]
Weighing: TypeAlias = Callable[[Sequence[Item]], tuple[float, ...]]
"""Gives the weight of each label, in the order of the head's, for the items that are trained on."""

_BALANCED: Literal["balanced"] = "balanced"
_LEAST, _MOST = 1e-6, 1e6


def class_weights_of(given: str) -> ClassWeights:
    """Weights as a shell has them: `balanced`, or `spam=3,ham=1`.

    Raises:
        ConfigError: They are not written so.
    """
    if given == _BALANCED:
        return _BALANCED
    parts = [part.rpartition("=") for part in given.split(",")]
    try:
        weights = {label: float(number) for label, _, number in parts}
    except ValueError:
        weights = {}
    if len(weights) < len(parts) or "" in weights:
        raise ConfigError(
            f"--class-weights is {_BALANCED}, or LABEL=WEIGHT for each label, such as spam=3,ham=1, found "
            f"{given!r:.80}. A label with a comma in it can only be given in Python."
        )
    return weights


def check_class_weights(asked: ClassWeights | None) -> None:
    """See that weights can be right, whatever the labels.

    Raises:
        ConfigError: A weight does not lie between 1e-6 and 1e6.
    """
    if asked is None or asked == _BALANCED:
        return
    for label, weight in asked.items():
        if not (math.isfinite(weight) and _LEAST <= weight <= _MOST):
            raise ConfigError(
                f"class_weights are numbers between {_LEAST:g} and {_MOST:,.0f}, found {weight!r:.40} for the label "
                f"{label!r:.60}. To leave a label out, leave its examples out."
            )


def weighing_of(asked: ClassWeights | None, head: HeadConfig) -> Weighing | None:
    """How the labels of a head are weighed; None where all count alike.

    `balanced` is inverse frequency: `n / (k * n_label)` for `n` targets of `k` labels that occur, so that the weights
    of all targets have the mean 1 (as scikit-learn has it, after King and Zeng 2001).

    Raises:
        ConfigError: The loss of the task type has no classes, or a label has no weight, or there is none for a weight.
    """
    if asked is None:
        return None
    if not head.row.weighs_classes:
        having = ", ".join(row.name for row in TASK_TYPES.values() if row.weighs_classes)
        raise ConfigError(
            f"class_weights is for {having}, where each target is one of several labels, and this is a head of "
            f"{head.row.name}; leave it out."
        )
    if isinstance(asked, str):
        return lambda items: _balanced(items, len(head.labels))
    weights = _by_label(asked, head.labels)
    return lambda _: weights


def _balanced(items: Sequence[Item], n_labels: int) -> tuple[float, ...]:
    targets = map(int, chain.from_iterable(item.target for item in items))
    counts = Counter(target for target in targets if target != IGNORED)
    # A label that never occurs has no target that its weight could be of.
    return tuple(counts.total() / (len(counts) * counts[label]) if counts[label] else 1.0 for label in range(n_labels))


def _by_label(asked: Mapping[str, float], labels: Sequence[str]) -> tuple[float, ...]:
    given = {normalized(label, "NFC"): float(weight) for label, weight in asked.items()}
    wanted = [normalized(label, "NFC") for label in labels]
    unknown = [label for label in given if label not in wanted]
    missing = [label for label in wanted if label not in given]
    if unknown or missing:
        found = [f"there is no label {', '.join(map(repr, unknown))}"] if unknown else []
        found += [f"none is given for {', '.join(map(repr, missing))}"] if missing else []
        raise ConfigError(
            f"class_weights needs a weight for each label, and {'; '.join(found)}. The labels are {', '.join(wanted)}; "
            f"{as_typed(class_weights=_BALANCED)} takes them from their frequency."
        )
    return tuple(given[label] for label in wanted)
