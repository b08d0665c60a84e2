"""An explanation of one answer: which words decided it, and which adapters."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

ROUNDING = 1e-4
"""What outputs in 32 bits differ by for no reason, as a share of a score above 1."""


@dataclass(frozen=True, kw_only=True)
class ExplainedWord:
    """A word that was read; `side` numbers the text that it is of, `start` and `end` are its characters there.

    `attribution` is what it adds to the score. `changes` says for each adapter how far it moves the word: the norm of
    the difference between the word's hidden states with and without that adapter, as a share of the norm without it.
    None where the text is read by other pieces without the adapter, and the word is not among them.
    """

    text: str
    side: int
    start: int
    end: int
    attribution: float
    changes: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """What is answered without one adapter, in words too, and the score of the same target then."""

    answer: Any
    said: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a head gave its answer to one input.

    `target` is what is explained: the answer, or another one that was asked for. `score` says how sure the head is of
    it, in the unit `unit`, and `difference` is the score less that of the same input with `baseline` in the place of
    each of its words (for two sentences compared: the sum of that for each of them). The attributions of the words add
    up to it, but for `gap`, as they are an integral over so many `steps`: integrated gradients, Sundararajan et al.
    2017, arXiv:1703.01365.

    `without` has the answer with each adapter of the stack taken out, by its id. The one with the head loses its layers
    only. `cut` says that the input was longer than what was read.
    """

    task_type: str
    stack: str
    texts: tuple[str, ...]
    answer: Any
    said: str
    target: str
    unit: str
    score: float
    difference: float
    baseline: str
    steps: int
    words: tuple[ExplainedWord, ...]
    without: Mapping[str, LeftOut]
    cut: bool = False

    @property
    def attributions(self) -> tuple[float, ...]:
        """What each word adds to the score."""
        return tuple(word.attribution for word in self.words)

    @property
    def gap(self) -> float:
        """By how much the attributions miss the difference that they should add up to."""
        return abs(sum(self.attributions) - self.difference)

    @property
    def relative_gap(self) -> float:
        """The gap as a share of the difference, or of all attributions by size where words cancel each other."""
        return share_of_gap(self.gap, self.difference, self.attributions)

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the gap."""
        return {**asdict(self), "gap": self.gap, "relative_gap": self.relative_gap}

    def show(self, console: "Console | None" = None) -> None:
        """Print it in colours, on standard output; values say the same where there are none (NO_COLOR, a file)."""
        from adaptkit.terminal.console import PlainConsole

        place = console or PlainConsole(soft_wrap=False)
        if place.is_terminal:
            place.print(self)
        else:
            place.print(str(self), soft_wrap=True)

    def __rich__(self) -> "RenderableType":
        from adaptkit.explanations.coloured import coloured

        return coloured(self)

    def __str__(self) -> str:
        from adaptkit.explanations.coloured import as_plain_text

        return as_plain_text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from adaptkit.explanations.html import explanation_html

        return explanation_html(self)


def share_of_gap(gap: float, difference: float, attributions: tuple[float, ...]) -> float:
    """A gap as a share of the difference, or of all attributions by size where that is more; 0 where all are 0."""
    size = max(abs(difference), sum(map(abs, attributions)))
    return gap / size if size else 0.0
