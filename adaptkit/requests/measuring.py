"""How an evaluation measures."""

from dataclasses import dataclass

from adaptkit.config import MAX_ANSWER_TOKENS, Precision
from adaptkit.options import Options, option
from adaptkit.requests.output import PathOrName


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
    keep: PathOrName | None = option(
        None, "folder for finished measurements, so that an interrupted evaluation goes on", recorded=False
    )
    progress: bool = option(True, "show progress", recorded=False)
