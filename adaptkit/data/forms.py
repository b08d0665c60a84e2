"""Which normal forms of Unicode texts are in, and whether a tokenizer tells them apart."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from adaptkit.terminal.asking import as_typed

_TRIED = 200
"""About how many texts are tokenized in both forms."""
_NOTED = 0.01

Tokenize = Callable[[list[str]], Sequence[Sequence[int]]]


@dataclass(frozen=True, kw_only=True)
class Forms:
    """How many of some texts are in which form; texts that are the same in both (most without marks) in neither.

    Attributes:
        texts: how many there are.
        composed: those in NFC and not in NFD.
        decomposed: those in NFD and not in NFC.
        mixed: those in neither, with letters of both kinds.
        read_differently: the share of these three, in a sample, that the tokenizer gives other ids in NFC than in NFD.
    """

    texts: int
    composed: int
    decomposed: int
    mixed: int
    read_differently: float

    def problem(self) -> str | None:
        """Say what is worth a look: texts in several forms, or in one that the tokenizer reads as other text."""
        several = self.mixed + min(self.composed, self.decomposed)
        differ = self.read_differently >= _NOTED
        unusual = max(several, self.decomposed) if differ else several
        if not unusual or unusual < _NOTED * self.texts:
            return None
        shares = [count / self.texts for count in (self.composed, self.decomposed, self.mixed)]
        said = "{:.1%} have composed letters (NFC), {:.1%} decomposed ones (NFD) and {:.1%} both".format(*shares)
        if not differ:
            return f"Of the texts, {said}; the tokenizer reads them alike."
        return (
            f"Of the texts, {said}, and the tokenizer reads them differently: read all in one form, "
            f"{as_typed(normalize='NFC')}."
        )


def forms_of(texts: Iterable[str], tokenize: Tokenize) -> Forms:
    """Look at every text, and tokenize some of those that have two forms in both."""
    n_texts = 0
    found: Counter[str] = Counter()
    pairs: list[tuple[str, str]] = []
    for text in texts:
        n_texts += 1
        composed, decomposed = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
        if composed != decomposed:
            found["composed" if text == composed else "decomposed" if text == decomposed else "mixed"] += 1
            pairs.append((composed, decomposed))
    tried = pairs[:: max(1, len(pairs) // _TRIED)]
    first, second = (tokenize([pair[side] for pair in tried]) if tried else [] for side in (0, 1))
    differ = sum(list(ours) != list(theirs) for ours, theirs in zip(first, second, strict=True))
    return Forms(
        texts=n_texts,
        composed=found["composed"],
        decomposed=found["decomposed"],
        mixed=found["mixed"],
        read_differently=differ / max(len(tried), 1),
    )
