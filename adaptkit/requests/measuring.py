"""How an evaluation measures."""

from dataclasses import dataclass

from adaptkit.config import MAX_ANSWER_TOKENS, Precision
from adaptkit.errors import ConfigError
from adaptkit.options import Options, option
from adaptkit.requests.output import PathOrName
from adaptkit.terminal.asking import as_typed


@dataclass(frozen=True, kw_only=True)
class Measuring(Options):
    """How, how fast and in what numbers predictions are made, and where finished measurements are kept.

    Raises:
        ConfigError: A value that cannot be right.
    """

    batch_size: int = option(32, "examples in a batch", least=1)
    precision: Precision = option("auto", "fp32, bf16, or auto: bf16 where the hardware has it")
    max_answer_tokens: int | None = option(
        None, "qa: tokens of the longest answer (default: what the adapter says)", least=1, most=MAX_ANSWER_TOKENS
    )
    examples: int = option(
        0,
        "test examples of each language that an adapter turned right, and as many turned wrong, in the report with "
        "their text (0: no sentence of the data is in it)",
        least=0,
        most=1000,
    )
    explain: bool = option(False, "show the words that decided each of those examples")
    keep: PathOrName | None = option(
        None, "folder for finished measurements, so that an interrupted evaluation goes on", recorded=False
    )
    progress: bool = option(True, "show progress", recorded=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.explain and not self.examples:
            raise ConfigError(
                f"{as_typed(explain=True)} explains the examples that a report shows, and it shows none: "
                f"{as_typed(examples=3)} too."
            )
