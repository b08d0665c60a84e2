"""How an answer is explained."""

from dataclasses import dataclass
from typing import Literal

from adaptkit.options import Options, option

Baseline = Literal["mask", "pad", "unk"]


@dataclass(frozen=True, kw_only=True)
class Explaining(Options):
    """How finely the way from a text without its words to the text is walked, and what stands for a missing word.

    Raises:
        ConfigError: A value that cannot be right.
    """

    steps: int = option(32, "steps of the integral; more are taken if the words do not add up", least=2, most=4096)
    most_steps: int = option(256, "most steps that are taken", least=2, most=4096)
    tolerance: float = option(0.05, "largest gap of the sum, as a share; above it the steps are doubled", least=0)
    baseline: Baseline | None = option(
        None, "token put in place of a missing word: mask, pad or unk (default: the first that the tokenizer has)"
    )
    batch_size: int = option(32, "rows that the backbone reads at once", least=1)
