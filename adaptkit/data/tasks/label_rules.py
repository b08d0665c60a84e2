"""Labels, lists and what else is read alike from the rows of several task types."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adaptkit.data.letters import normalized
from adaptkit.data.tasks.labelled_row import LabelledRow
from adaptkit.data.tasks.nli import canonical_nli_label
from adaptkit.data.tasks.written_lists import BadList, looks_written, written_value

Dropped: TypeAlias = Counter[str]
"""What was left out, by reason."""

NO_GOLD_MARKS = frozenset({"", "-"})
"""What SNLI and its kin write where the annotators did not agree."""

_NOTHING = frozenset({"nan", "NaN", "<NA>", "NaT", "#N/A"})
_A_LABEL = "a label; leave rows without one out"


@dataclass(frozen=True)
class LabelRules:
    """How labels are to be read.

    Attributes:
        allowed: the only labels that may occur; anything may if it is empty.
        names: what the numbers 0, 1, 2, ... stand for, where labels are stored as numbers.
        nli: every label is one of NLI in some spelling, or its number.
        score_range: the lowest and highest score of similarity.

    """

    allowed: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    nli: bool = False
    score_range: tuple[float, float] = (0.0, 1.0)


def about(row: LabelledRow) -> tuple[str | None, str | None]:
    """Language and group of a row's example."""
    return row.language(), row.optional_text("group")


def label_of(row: LabelledRow, rules: LabelRules, value: object) -> str | None:
    """Give a label or tag as a word; None where there is none."""
    # A label that is stored in two forms looks like one and is one.
    word = normalized(_named(row, rules, value), "NFC")
    if word in NO_GOLD_MARKS:
        return None
    label = canonical_nli_label(word, numbers=True) if rules.nli else word
    if label is None or (rules.allowed and label not in rules.allowed):
        expected = ", ".join(rules.allowed) or "entailment, neutral or contradiction in any spelling"
        raise row.wrong(f"the label {word!r:.40}", expected)
    return label


def _named(row: LabelledRow, rules: LabelRules, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        if value.strip() in _NOTHING and value.strip() not in rules.allowed:
            raise row.wrong(f"the label {value.strip()!r}, which tables write where there is none", _A_LABEL)
        return value.strip()
    if isinstance(value, float) and math.isnan(value):
        raise row.wrong("NaN as the label", _A_LABEL)
    if not isinstance(value, int):
        raise row.wrong(f"a label of type {type(value).__name__}", "a word or an integer")
    if not rules.names:
        return str(value)
    if not -1 <= value < len(rules.names):
        raise row.wrong(f"the label number {value}", f"0 to {len(rules.names) - 1}: {', '.join(rules.names)}")
    return "" if value == -1 else rules.names[value]


def sequence_of(row: LabelledRow, role: str) -> Sequence[object]:
    """Give the list of a role: as it is, written as one, or text with spaces between."""
    value = row.value(role)
    if isinstance(value, str):
        if not looks_written(value):
            return value.split()
        try:
            value = written_value(value)
        except BadList as error:
            raise row.wrong(str(error), f"{role} as a list with commas, or text with spaces between") from error
    if not isinstance(value, list | tuple):
        raise row.wrong(f"{role} of type {type(value).__name__}", "a list, or text with spaces between")
    return value
