"""How a training runs."""

from dataclasses import dataclass

from adaptkit.config import Precision
from adaptkit.options import Options, option

_LEAST_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class Run(Options):
    """How long, how fast and in what numbers a training runs, whatever it trains.

    Steps and learning rate that are left out are chosen by the objective, or by the task, and by the size of the data.

    Raises:
        ConfigError: A number that cannot be right.
    """

    batch_size: int = option(32, "sentences in a batch", least=1)
    max_steps: int | None = option(None, "training steps (default: by the size of the text)", least=1)
    learning_rate: float | None = option(
        None, "peak learning rate (default: by objective and method)", above=0, below=1
    )
    max_length: int = option(128, "tokens of a sentence that are kept, special ones counted", least=_LEAST_LENGTH)
    seed: int = option(0, "seed of everything random")
    precision: Precision = option("auto", "fp32, bf16, or auto: bf16 where the hardware has it")
    gradient_checkpointing: bool = option(False, "less memory for about a third more time")
    evaluate_every: int | None = option(
        None, "steps between two measures of the held-out loss (default: a fifth of all, 20 to 200)", least=1
    )
    patience: int = option(5, "measures of the held-out loss without gain after which the run ends (0: never)", least=0)
    least_gain: float = option(
        0.0, "share by which a held-out loss must be below the best before to count as gain", least=0, below=1
    )
    progress: bool = option(True, "show plan and progress", recorded=False)
