"""How a training runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from adaptkit.config import Precision
from adaptkit.errors import ConfigError
from adaptkit.holding import AUTO, Graphs
from adaptkit.options import Options, Shell, option
from adaptkit.requests.training_report import TrainingReport

_LEAST_LENGTH = 8


class Tracker(Protocol):
    """A tracker of one's own: an `accelerate.tracking.GeneralTracker`."""

    def log(self, values: dict[str, object], step: int | None = None) -> None:
        """Keep numbers by name, which are of a step."""


AskedTracker: TypeAlias = str | Tracker


@dataclass(frozen=True, kw_only=True)
class Run(Options):
    """How long, how fast and in what numbers a training runs, whatever it trains.

    Steps and learning rate that are left out are chosen by the objective, or by the task, and by the size of the data.
    `callback` is called with each `TrainingReport`, in the main process, behind the log and the trackers; what it
    returns is not looked at, and what it raises stops the run, with its checkpoint kept.

    Raises:
        ConfigError: A number that cannot be right, options that do not go together, or a callback that cannot be
            called.
    """

    batch_size: int = option(32, "sentences in a batch", least=1)
    max_steps: int | None = option(None, "training steps (default: by the size of the text)", least=1)
    learning_rate: float | None = option(
        None, "peak learning rate (default: by objective and method)", above=0, below=1
    )
    max_length: int = option(
        128, "longest sentence in tokens, special ones counted; the rest is cut", least=_LEAST_LENGTH
    )
    seed: int = option(0, "seed of everything random")
    precision: Precision = option("auto", "fp32, bf16, or auto: bf16 where the hardware has it")
    gradient_checkpointing: bool = option(False, "less memory for about a third more time")
    graphs: Graphs = option(
        AUTO,
        "record steps as CUDA graphs and replay them: auto (on a GPU, where that can be), always or never",
        recorded="changed",
    )
    evaluate_every: int | None = option(
        None, "steps between two evaluations on held-out data (default: a fifth of all steps, 20 to 200)", least=1
    )
    patience: int = option(5, "end the run after so many held-out evaluations without improvement (0: never)", least=0)
    least_gain: float = option(
        0.0, "share by which a held-out loss must fall below the best so far to count as improvement", least=0, below=1
    )
    progress: bool = option(True, "show plan and progress", recorded=False)
    log_with: str | tuple[AskedTracker, ...] = option(
        (),
        "trackers that receive loss, speed and cost as well: tensorboard, wandb, mlflow and the others of accelerate",
        recorded=False,
        shell=Shell(
            list[str],
            "tracker that receives loss, speed and cost as well: tensorboard, wandb, mlflow or another one of "
            "accelerate; may be repeated",
            metavar="<tracker>",
        ),
    )
    callback: Callable[[TrainingReport], object] | None = field(default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.callback is not None and not callable(self.callback):
            raise ConfigError(
                f"callback is a function that takes a TrainingReport, found {self.callback!r:.80}; trackers belong in "
                "log_with."
            )

    @property
    def trackers(self) -> tuple[AskedTracker, ...]:
        """What is asked for in `log_with`, each once."""
        return tuple(dict.fromkeys([self.log_with] if isinstance(self.log_with, str) else self.log_with))
