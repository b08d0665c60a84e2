"""How a training runs."""

from dataclasses import dataclass

from adaptkit.config import Precision
from adaptkit.errors import ConfigError
from adaptkit.options import option

_LEAST_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class Run:
    """How long, how fast and in what numbers a training runs, whatever it trains.

    Steps and learning rate that are left out are chosen by the objective, or by the task, and by the size of the data.

    Raises:
        ConfigError: A number that cannot be right.
    """

    batch_size: int = option(32, "sentences in a batch")
    max_steps: int | None = option(None, "training steps (default: by the size of the text)")
    learning_rate: float | None = option(None, "peak learning rate (default: by objective)")
    max_length: int = option(128, "tokens of a sentence that are kept, special ones counted")
    seed: int = option(0, "seed of everything random")
    precision: Precision = option("auto", "fp32, bf16, or auto: bf16 where the hardware has it")
    gradient_checkpointing: bool = option(False, "less memory for about a third more time")
    evaluate_every: int | None = option(
        None, "steps between two measures of the held-out loss (default: a fifth of all, 20 to 200)"
    )
    patience: int = option(5, "measures of the held-out loss without gain after which the run ends (0: never)")
    least_gain: float = option(0.0, "share by which a held-out loss must be below the best before to count as gain")
    progress: bool = option(True, "show plan and progress", recorded=False)

    def __post_init__(self) -> None:
        if self.max_length < _LEAST_LENGTH:
            raise ConfigError(f"max_length must be at least {_LEAST_LENGTH}, found {self.max_length}.")
        for name in ("batch_size", "max_steps", "evaluate_every"):
            steps = getattr(self, name)
            if steps is not None and steps < 1:
                raise ConfigError(f"{name} must be at least 1, found {steps}.")
        if self.patience < 0:
            raise ConfigError(
                f"patience must be at least 1, or 0 for a run that never ends early, found {self.patience}."
            )
        if not 0 <= self.least_gain < 1:
            raise ConfigError(
                f"least_gain lies between 0 and 1, such as 0.01 for one hundredth, found {self.least_gain}."
            )
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise ConfigError(f"learning_rate must lie between 0 and 1, found {self.learning_rate}.")
        if self.precision not in ("auto", "fp32", "bf16"):
            raise ConfigError(f"precision is auto, fp32 or bf16, found {self.precision!r}.")
