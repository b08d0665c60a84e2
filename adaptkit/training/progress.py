"""Where a training run stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run stands. `begun_at` is the held-out loss of the regression that a head began as."""

    step: int = 0
    tokens: int = 0
    elapsed_s: float = 0.0
    judged_step: int = -1
    before: Mapping[str, float] = field(default_factory=dict)
    begun_at: float | None = None
    best_loss: float | None = None
    evaluations_without_gain: int = 0

    def advanced(self, *, tokens: int, elapsed_s: float) -> "Progress":
        """One step further."""
        return replace(self, step=self.step + 1, tokens=self.tokens + tokens, elapsed_s=self.elapsed_s + elapsed_s)

    def judged(self, measures: Mapping[str, float], least_gain: float = 0.0) -> "Progress":
        """After a held-out evaluation; the first one is the measure before training, if there is none yet.

        A loss that is better by no more than this share of the best one is the best now, and still no gain.
        """
        loss, best = measures["loss"], self.best_loss
        better = best is None or loss < best
        gained = best is None or loss < best - least_gain * abs(best)
        return replace(
            self,
            judged_step=self.step,
            before=self.before or dict(measures),
            best_loss=loss if better else best,
            evaluations_without_gain=0 if gained else self.evaluations_without_gain + 1,
        )
