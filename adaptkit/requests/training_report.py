"""What a training tells of itself while it runs: the value that its log, trackers and callback are given."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Number: TypeAlias = float | int


@dataclass(frozen=True, kw_only=True)
class TrainingReport:
    """Where a run stands, after some steps or after a held-out evaluation.

    `loss` is that of the step before; `heldout` are means over the held-out sentences, such as `loss` and `token_loss`.
    One of the two is there: None and an empty mapping stand for what was not taken. `scores` are those of a task on
    held-out examples, 0 to 100, beside `heldout`, the main one first. `elapsed_s` are seconds of steps,
    evaluations not counted; `peak_memory_bytes` is the most that this process has held; `energy_wh` is the electrical
    energy at an assumed power in watt-hours, None where none is assumed. No text of the corpus is in it.
    """

    step: int
    total_steps: int
    tokens: int
    elapsed_s: float
    learning_rate: float
    peak_memory_bytes: int
    energy_wh: float | None = None
    loss: float | None = None
    heldout: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Such as: step 40 of 300: loss 2.310, 1,204 tokens/s."""
        told = [] if self.loss is None else [f"loss {self.loss:.3f}"]
        told += [f"held-out {name.replace('_', ' ')} {value:.3f}" for name, value in self.heldout.items()]
        told += [f"held-out {name} {score:.1f}" for name, score in self.scores.items()]
        told += [f"{self.tokens_per_s:,.0f} tokens/s"] if self.tokens else []
        return f"step {self.step:,} of {self.total_steps:,}: {', '.join(told)}"

    @property
    def tokens_per_s(self) -> float:
        """Real tokens (no padding) a second, since the run began; 0 before its first step."""
        return self.tokens / self.elapsed_s if self.elapsed_s else 0.0

    def numbers(self) -> dict[str, Number | None]:
        """All but the step, by flat names, as a table has them; None for what was not taken."""
        return {
            "total_steps": self.total_steps,
            "loss": _finite(self.loss),
            "heldout_loss": None,
            **{f"heldout_{name}": _finite(value) for name, value in self.heldout.items()},
            **{f"heldout_{_flat(name)}": score for name, score in self.scores.items()},
            "learning_rate": self.learning_rate,
            "tokens": self.tokens,
            "elapsed_s": round(self.elapsed_s, 3),
            "tokens_per_s": round(self.tokens_per_s, 1),
            "peak_memory_bytes": self.peak_memory_bytes,
            "energy_wh": None if self.energy_wh is None else round(self.energy_wh, 4),
        }


def _flat(name: str) -> str:
    """A score's name as that of a column: macro_f1."""
    return "_".join(re.findall(r"[a-z0-9]+", name.lower()))


def _finite(value: float | None) -> float | None:
    """A number as JSON has it; None for what is none."""
    return value if value is not None and math.isfinite(value) else None
