"""What a training run did, and what speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass

_LEARNED_NOTHING = 0.98


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run did. `before` and `after` are means over the held-out sentences."""

    steps: int
    tokens: int
    elapsed_s: float
    peak_memory_bytes: int
    before: dict[str, float]
    after: dict[str, float]
    stopped_because: str

    @property
    def tokens_per_s(self) -> float:
        """Real tokens (no padding) a second, evaluations not counted."""
        return self.tokens / max(self.elapsed_s, 1e-9)


def doubt_of(before: Mapping[str, float], after: Mapping[str, float], constant_loss: float | None) -> str | None:
    """What the held-out losses say against a run; `constant_loss` is that of the same answer to every input.

    Where that answer is right on all of them, as on examples of one label, it is nothing to compare with.
    """
    if not after["loss"] < before["loss"]:
        return "held-out loss was never better than at the start"
    if constant_loss and after["loss"] > _LEARNED_NOTHING * constant_loss:
        return (
            f"held-out loss {after['loss']:.3f} is no better than that of giving every input the same answer "
            f"({constant_loss:.3f}), so nothing was learned: try another seed, more steps or a lower learning rate"
        )
    return None
