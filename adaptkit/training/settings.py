"""How long and how fast a run trains."""

import math
from dataclasses import dataclass

from adaptkit.config import Precision
from adaptkit.errors import ConfigError
from adaptkit.holding import Graphs

WARMUP_SHARE = 0.06


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of the loop; what they train is somebody else's matter.

    A step is one batch. The first `head_warmup_steps` train only the objective's own weights, so that the measure taken
    before the adapter trains is not that of a random head. The learning rate then rises linearly over `warmup_share` of
    the steps and falls linearly to zero. The held-out loss is taken every `evaluate_every` steps; after `patience`
    evaluations in a row without gain the run ends (None: never); gain is a loss that is lower than the best before by
    more than this share of it, `least_gain`. The weights with the best held-out loss are kept.
    On CUDA, what the backbone does is recorded once for each shape of batches, as a CUDA graph, and replayed; `graphs`
    says whether always, never, or where it can be (`auto`).
    A checkpoint is written every `checkpoint_every` steps, and after `checkpoint_minutes` without one.

    Raises:
        ConfigError: A number that cannot be right.
    """

    max_steps: int
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    warmup_share: float = WARMUP_SHARE
    head_warmup_steps: int = 0
    max_gradient_norm: float = 1.0
    seed: int = 0
    precision: Precision = "auto"
    gradient_checkpointing: bool = False
    graphs: Graphs = "auto"
    evaluate_every: int = 200
    patience: int | None = 5
    least_gain: float = 0.0
    checkpoint_every: int = 200
    checkpoint_minutes: float = 10.0

    def __post_init__(self) -> None:
        for name in ("max_steps", "batch_size", "evaluate_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, found {getattr(self, name)}.")
        if not self.checkpoint_minutes > 0:
            raise ConfigError(f"checkpoint_minutes must be above 0, found {self.checkpoint_minutes}.")
        if not 0 <= self.head_warmup_steps < self.max_steps:
            raise ConfigError(
                f"head_warmup_steps must be below max_steps, found {self.head_warmup_steps} and {self.max_steps}."
            )
        if not 0 < self.learning_rate < 1:
            raise ConfigError(f"learning_rate must lie between 0 and 1, found {self.learning_rate}.")
        if self.precision not in ("auto", "fp32", "bf16"):
            raise ConfigError(f"precision is auto, fp32 or bf16, found {self.precision!r}.")

    @property
    def flat(self) -> str | None:
        """What ends a run before its last step, in words; None where nothing can."""
        if self.patience is None or self.head_warmup_steps + self.patience * self.evaluate_every >= self.max_steps:
            return None
        by = f" by more than {self.least_gain:.2%}" if self.least_gain else ""
        return f"no lower held-out loss{by} in {self.patience} evaluations, one every {self.evaluate_every:,} steps"

    @property
    def n_evaluations(self) -> int:
        """How often a run of all steps measures what is held out; the last time with the best weights."""
        between = math.ceil((self.max_steps - self.head_warmup_steps) / self.evaluate_every)
        return between + 2

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0 at the start of the head's warm-up."""
        step -= self.head_warmup_steps
        if step < 0:
            return self.learning_rate
        n_steps = self.max_steps - self.head_warmup_steps
        warmup = max(1, round(n_steps * self.warmup_share))
        rising = min(1.0, (step + 1) / warmup)
        falling = (n_steps - step) / max(1, n_steps - warmup)
        return self.learning_rate * min(rising, max(0.0, falling))
