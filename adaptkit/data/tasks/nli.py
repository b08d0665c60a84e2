"""The three labels of natural language inference, whatever a file calls them."""

from collections.abc import Mapping

NLI_LABELS = ("entailment", "neutral", "contradiction")

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "entailment": ("entailment", "entails", "entailed", "e"),
    "neutral": ("neutral", "n"),
    "contradiction": ("contradiction", "contradictory", "contradicts", "c"),
}
_LABEL_OF = {spelling: label for label, spellings in _SPELLINGS.items() for spelling in spellings}


def canonical_nli_label(label: str, *, numbers: bool = False) -> str | None:
    """Give `entailment`, `neutral` or `contradiction` for any spelling of it (`E`, `NEUTRAL`, `contradictory`).

    Args:
        label: the label as it stands in a file.
        numbers: take 0, 1, 2 for the three, in the order of `NLI_LABELS`; a file of another task may mean anything.

    Returns:
        The canonical label; None for what is none.

    """
    key = label.strip().lower()
    if numbers and key in {"0", "1", "2"}:
        return NLI_LABELS[int(key)]
    return _LABEL_OF.get(key)
